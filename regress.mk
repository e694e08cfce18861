# regress.mk - the test programs.  POSIX make; GNU make and bmake.
# Called by the Makefile, after the programs are built.

.POSIX:
.SUFFIXES:
.SUFFIXES: .c .o

include config.mk

SESSION = regress/session/rfc937_test regress/session/rfc918_test \
	regress/session/pop2_table_test regress/session/pop1_table_test \
	regress/session/session_test regress/session/bad_input_test \
	regress/session/pop3_table_test regress/session/rfc1939_test \
	regress/session/ahead_test \
	regress/session/uidl_test regress/session/pop3_test \
	regress/session/peers_test regress/session/clients_test \
	regress/session/stls_test
PRIVSEP = regress/privsep/rights_test regress/privsep/sandbox_test \
	regress/privsep/filter_test \
	regress/privsep/secrets_test regress/privsep/vanish_test \
	regress/privsep/restart_test regress/privsep/hostile_test \
	regress/privsep/auth_test regress/privsep/tls_test \
	regress/privsep/keys_test regress/privsep/named_test \
	regress/privsep/start_test regress/privsep/spool_test
STORE = regress/mailstore/mailbox_test regress/mailstore/folder_test \
	regress/mailstore/lock_test regress/mailstore/large_test \
	regress/mailstore/mailtxt_test regress/mailstore/mh_test \
	regress/mailstore/maildir_test regress/mailstore/dotlock_test \
	regress/mailstore/dotlock_session_test regress/mailstore/forms_test \
	regress/mailstore/mailbox_tool_test regress/mailstore/inbox_test \
	regress/mailstore/programs_test regress/mailstore/neighbours_test \
	regress/mailstore/index_session_test
INDEX_TEST = regress/mailstore/index_test
INDEX_WRAP = -Wl,--wrap=index_is_settled,--wrap=index_is_worth \
	-Wl,--wrap=fstat,--wrap=pread,--wrap=pwrite
FILE_INDEX_TEST = regress/mailstore/file_index_test
FILE_INDEX_WRAP = -Wl,--wrap=index_is_settled,--wrap=uid_content \
	-Wl,--wrap=message_file_open,--wrap=message_file_measure,--wrap=pwrite
UNIT = regress/unit/ipc_test regress/unit/config_test \
	regress/unit/command_test regress/unit/mbox_test \
	regress/unit/mboxrd_test regress/unit/mailtxt_test \
	regress/unit/passwd_file_test regress/unit/passwd_named_test \
	regress/unit/log_test regress/unit/seal_test \
	regress/unit/seal_narrow_test regress/unit/line_crlf_test \
	regress/unit/login_turns_test
CRASH = regress/crash/faults.o regress/crash/world.o regress/crash/check.o \
	regress/crash/kill.o regress/crash/copy_down.o regress/crash/power.o \
	regress/crash/disk_model.o regress/crash/restore.o \
	regress/crash/box.o regress/crash/box_check.o regress/crash/box_bench.o
WRAP = -Wl,--wrap=pwrite,--wrap=ftruncate,--wrap=fsync,--wrap=renameat \
	-Wl,--wrap=unlinkat,--wrap=openat,--wrap=log_line \
	-Wl,--wrap=journal_wanted,--wrap=journal_is_far \
	-Wl,--wrap=message_file_is_old
CRASH_TESTS = regress/crash/crash_test regress/crash/journal_test \
	regress/crash/daemon_test regress/crash/files_test
RACE = regress/crash/race.o regress/crash/race_agent.o \
	regress/crash/race_client.o regress/crash/race_mail.o \
	regress/crash/race_postfix.o regress/crash/race_box.o
FUZZ = regress/fuzz/mbox_fuzz regress/fuzz/mailtxt_fuzz \
	regress/fuzz/mh_fuzz regress/fuzz/maildir_fuzz \
	regress/fuzz/sequences_fuzz regress/fuzz/profile_fuzz \
	regress/fuzz/detect_fuzz regress/fuzz/folder_fuzz \
	regress/fuzz/uids_fuzz regress/fuzz/foreign_fuzz \
	regress/fuzz/journal_fuzz \
	regress/fuzz/index_fuzz regress/fuzz/file_index_fuzz \
	regress/fuzz/pop1_fuzz regress/fuzz/pop2_fuzz \
	regress/fuzz/pop3_fuzz regress/fuzz/plain_fuzz \
	regress/fuzz/config_fuzz regress/fuzz/passwd_fuzz \
	regress/fuzz/ipc_fuzz regress/fuzz/sign_fuzz \
	regress/fuzz/tls_fuzz
FUZZ_SHARED = regress/fuzz/fuzz.o regress/fuzz/mail.o regress/fuzz/files.o \
	regress/fuzz/talk.o
FUZZ_HEADERS = regress/fuzz/fuzz.h regress/fuzz/mail.h regress/fuzz/files.h \
	regress/fuzz/talk.h
FUZZ_WRAP = -Wl,--wrap=pread,--wrap=index_is_worth,--wrap=index_is_settled \
	-Wl,--wrap=index_files_are_worth,--wrap=clock_gettime \
	-Wl,--wrap=message_file_is_old
# What calls a target with inputs; build/fuzz.sh has libFuzzer do it.
FUZZ_DRIVER = regress/fuzz/replay.o
FUZZ_FLAGS =
TESTS = $(CRASH_TESTS) regress/crash/race_test $(SESSION) $(PRIVSEP) $(STORE) \
	$(INDEX_TEST) $(FILE_INDEX_TEST) $(UNIT) regress/bench/load_test $(FUZZ)

CPPFLAGS = -Iinclude -Inet -Imailstore -Iprivsep -Iregress/lib \
	-D_GNU_SOURCE $(BSD_FLAGS) $(GNUTLS_FLAGS) $(FORTIFY) \
	-DBUILD_DIRECTORY='"$(BUILD_DIRECTORY)"'
COMPILE = $(CC) -std=c11 $(OPTIMIZE) $(HARDENING) $(WARNINGS) $(CPPFLAGS)
LINKED = regress/lib/harness.o regress/lib/objects.a $(SANITIZER)
LIBS = -latf-c $(EVENT_LIBS) $(SODIUM_LIBS) $(SECCOMP_LIBS) $(CRYPT_LIBS) \
	$(GNUTLS_LIBS) $(MD_LIBS) $(BSD_LIBS)

tests: $(TESTS)

$(TESTS): regress/lib/harness.o regress/lib/harness.h regress/lib/objects.a \
	regress/privsep/doubles.h regress/privsep/processes.h \
	regress/privsep/memory.h regress/privsep/tls_client.h \
	regress/privsep/refusal.h \
	regress/mailstore/mailboxes.h regress/mailstore/meddle.h \
	regress/mailstore/splitter.h regress/mailstore/walk.h \
	regress/mailstore/mailtxt_splitter.h \
	regress/mailstore/message_files.h regress/mailstore/holder.h \
	regress/mailstore/forms.h regress/mailstore/programs.h \
	regress/session/pop3_client.h regress/unit/letters.h \
	config.mk

regress/lib/harness.o: regress/lib/harness.h config.mk

# A name service that is loaded by other programs, too: no sanitizer is in it.
regress/privsep/auth_test: regress/privsep/name_service.so

regress/privsep/name_service.so: regress/privsep/name_service.c config.mk
	@echo "  CC $@"
	@$(CC) -std=c11 -O2 -fPIC -shared $(WARNINGS) -D_GNU_SOURCE -o $@ \
	    regress/privsep/name_service.c

# Seals as on a machine without products of 128 bits.
regress/unit/seal_narrow_test: regress/unit/seal_test.c mailstore/seal.c
	@echo "  CC $@"
	@$(COMPILE) -DSEAL_NARROW -o $@ regress/unit/seal_test.c \
	    mailstore/seal.c $(LINKED) $(LINK) $(LIBS)

# The bench of crashes: the project's objects with their calls wrapped.
$(CRASH): regress/crash/crash.h regress/crash/disk_model.h \
	regress/crash/box.h \
	regress/lib/objects.a config.mk

regress/crash/crash_test: regress/crash/crash_test.c
regress/crash/journal_test: regress/crash/journal_test.c \
	regress/crash/journal_sign.h
regress/crash/daemon_test: regress/crash/daemon_test.c
regress/crash/files_test: regress/crash/files_test.c

$(CRASH_TESTS): $(CRASH)
	@echo "  CC $@"
	@$(COMPILE) -o $@ $@.c $(CRASH) $(LINKED) $(WRAP) $(LINK) $(LIBS)

# The store's own code in one process, with some of its calls wrapped.
$(INDEX_TEST): regress/mailstore/index_test.c regress/mailstore/index_file.h
	@echo "  CC $@"
	@$(COMPILE) -o $@ $@.c $(LINKED) $(INDEX_WRAP) $(LINK) $(LIBS)

$(FILE_INDEX_TEST): regress/mailstore/file_index_test.c \
	regress/mailstore/index_file.h
	@echo "  CC $@"
	@$(COMPILE) -o $@ $@.c $(LINKED) $(FILE_INDEX_WRAP) $(LINK) $(LIBS)

# Deliveries and deletions that meet: nothing of the project is linked in.
$(RACE): regress/crash/race.h regress/lib/harness.h config.mk

regress/crash/race_test: regress/crash/race_test.c $(RACE)
	@echo "  CC $@"
	@$(COMPILE) -o $@ $@.c $(RACE) $(LINKED) $(LINK) $(LIBS)

# Fuzz targets, whose corpora are tests: each is one file, what they share, and
# the project's objects.
# FUZZ_FLAGS: what is to be explored is the project, not its tests.
regress/fuzz/replay.o: regress/fuzz/fuzz.h config.mk

regress/fuzz/fuzz.o: regress/fuzz/fuzz.c
regress/fuzz/mail.o: regress/fuzz/mail.c
regress/fuzz/files.o: regress/fuzz/files.c
regress/fuzz/talk.o: regress/fuzz/talk.c

# The library is newer than any header of the project that has changed.
$(FUZZ_SHARED): $(FUZZ_HEADERS) regress/lib/objects.a config.mk
	@echo "  CC $@"
	@$(COMPILE) $(FUZZ_FLAGS) -c -o $@ $*.c

regress/fuzz/mbox_fuzz: regress/fuzz/mbox_fuzz.c
regress/fuzz/mailtxt_fuzz: regress/fuzz/mailtxt_fuzz.c
regress/fuzz/mh_fuzz: regress/fuzz/mh_fuzz.c
regress/fuzz/maildir_fuzz: regress/fuzz/maildir_fuzz.c
regress/fuzz/sequences_fuzz: regress/fuzz/sequences_fuzz.c
regress/fuzz/profile_fuzz: regress/fuzz/profile_fuzz.c
regress/fuzz/detect_fuzz: regress/fuzz/detect_fuzz.c
regress/fuzz/folder_fuzz: regress/fuzz/folder_fuzz.c
regress/fuzz/uids_fuzz: regress/fuzz/uids_fuzz.c
regress/fuzz/foreign_fuzz: regress/fuzz/foreign_fuzz.c
regress/fuzz/journal_fuzz: regress/fuzz/journal_fuzz.c \
	regress/crash/journal_sign.h
regress/fuzz/index_fuzz: regress/fuzz/index_fuzz.c \
	regress/mailstore/index_file.h
regress/fuzz/file_index_fuzz: regress/fuzz/file_index_fuzz.c \
	regress/mailstore/index_file.h
regress/fuzz/pop1_fuzz: regress/fuzz/pop1_fuzz.c
regress/fuzz/pop2_fuzz: regress/fuzz/pop2_fuzz.c
regress/fuzz/pop3_fuzz: regress/fuzz/pop3_fuzz.c
regress/fuzz/plain_fuzz: regress/fuzz/plain_fuzz.c
regress/fuzz/config_fuzz: regress/fuzz/config_fuzz.c
regress/fuzz/passwd_fuzz: regress/fuzz/passwd_fuzz.c
regress/fuzz/ipc_fuzz: regress/fuzz/ipc_fuzz.c
regress/fuzz/sign_fuzz: regress/fuzz/sign_fuzz.c
regress/fuzz/tls_fuzz: regress/fuzz/tls_fuzz.c

$(FUZZ): $(FUZZ_SHARED) $(SANITIZER) regress/fuzz/replay.o \
	$(FUZZ_HEADERS) regress/mailstore/splitter.h regress/lib/objects.a
	@echo "  CC $@"
	@$(COMPILE) $(FUZZ_FLAGS) -c -o $@.o $@.c
	@$(COMPILE) -o $@ $@.o $(FUZZ_DRIVER) $(FUZZ_SHARED) \
	    regress/lib/objects.a $(SANITIZER) $(FUZZ_WRAP) $(LINK) $(LIBS)

fuzz: $(FUZZ)

print-fuzz:
	@echo $(FUZZ)

crash: regress/crash/crash_bench regress/crash/race_test \
	regress/mailstore/forms_test

regress/crash/crash_bench: regress/crash/crash_bench.c $(CRASH) \
	regress/lib/objects.a
	@echo "  CC $@"
	@$(COMPILE) -o $@ regress/crash/crash_bench.c $(CRASH) \
	    regress/lib/objects.a $(SANITIZER) $(WRAP) $(LINK) $(LIBS)

# The bench's own clients: nothing of the project is in them.
BENCH_OBJECTS = regress/bench/client.o regress/bench/mail.o regress/bench/measure.o

bench: regress/bench/bench_load

$(BENCH_OBJECTS) regress/bench/load.o: regress/bench/client.h regress/bench/mail.h \
	regress/bench/measure.h config.mk

regress/bench/bench_load: regress/bench/load.o $(BENCH_OBJECTS)
	@echo "  LD $@"
	@$(COMPILE) -o $@ regress/bench/load.o $(BENCH_OBJECTS) $(SANITIZER) $(LINK) \
	    $(SODIUM_LIBS) $(CRYPT_LIBS) -lpthread

regress/bench/load_test: regress/bench/load_test.c $(BENCH_OBJECTS)
	@echo "  CC $@"
	@$(COMPILE) -o $@ $@.c $(BENCH_OBJECTS) $(LINKED) $(LINK) $(LIBS)

.c.o:
	@echo "  CC $@"
	@$(COMPILE) -c -o $@ $<

# A test program is one file, the harness, and what it needs of the project.
.c:
	@echo "  CC $@"
	@$(COMPILE) -o $@ $< $(LINKED) $(LINK) $(LIBS)
