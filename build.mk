# build.mk - what is linked from what.  POSIX make; GNU make and bmake.
# Called by the Makefile, after configure has written config.mk.

.POSIX:
.SUFFIXES:
.SUFFIXES: .c .o

include config.mk

CPPFLAGS = -Iinclude -Inet -Imailstore $(BSD_FLAGS) $(GNUTLS_FLAGS) $(FORTIFY) \
	-DSYSCONFDIR='"$(SYSCONFDIR)"' -DLIBEXECDIR='"$(LIBEXECDIR)"' \
	-DSTATEDIR='"$(STATEDIR)"' -DCHROOTDIR='"$(CHROOTDIR)"'
COMPILE = $(CC) -std=c11 $(OPTIMIZE) $(HARDENING) $(WARNINGS) $(CPPFLAGS)
LINKED = $(CC) $(OPTIMIZE) $(HARDENING) $(LINK) $(SANITIZER)

HEADERS = include/account.h include/auth.h include/child.h include/clock.h \
	include/config.h \
	include/ipc.h include/ipc_messages.h include/limits_postern.h \
	include/log.h include/net_peers.h include/network.h \
	include/parent.h include/passwd_file.h include/passwd_named.h \
	include/pathnames.h include/privdrop.h include/sandbox.h \
	net/session.h net/tls.h privsep/keys.h privsep/sandbox_filter.h \
	mailstore/detect.h mailstore/disk.h mailstore/dotlock.h mailstore/dots.h \
	mailstore/file_index.h mailstore/file_mailbox.h \
	mailstore/folder.h mailstore/inbox.h \
	mailstore/index.h mailstore/index_format.h mailstore/journal.h \
	mailstore/journal_format.h mailstore/line_blocks.h \
	mailstore/line_count.h mailstore/line_crlf.h mailstore/lines.h \
	mailstore/lock.h mailstore/login_delay.h mailstore/mailbox.h \
	mailstore/maildrop.h \
	mailstore/mailtxt.h mailstore/mbox.h \
	mailstore/mboxrd.h mailstore/message_file.h mailstore/mh.h \
	mailstore/mh_profile.h mailstore/place.h mailstore/rewrite.h \
	mailstore/rewrite_move.h mailstore/rewrite_step.h mailstore/seal.h \
	mailstore/single_file.h mailstore/store.h \
	mailstore/template.h mailstore/tool.h mailstore/tool_write.h \
	mailstore/uid.h \
	mailstore/wire.h

PARENT = privsep/posternd.o privsep/settings.o privsep/config_open.o \
	privsep/listen.o privsep/children.o privsep/grant.o privsep/pairs.o \
	privsep/privdrop.o $(RIGHTS) \
	privsep/account.o privsep/passwd_file.o privsep/ipc.o privsep/log.o

CHILD = privsep/child.o privsep/ipc.o privsep/ipc_child.o privsep/log.o \
	privsep/log_child.o privsep/log_quote.o $(SANDBOX)

AUTH = privsep/auth.o privsep/net_peers.o privsep/auth_passwd.o \
	$(AUTH_SYSTEM) privsep/auth_hash.o privsep/auth_named.o \
	privsep/passwd_named.o privsep/network.o privsep/network_has.o \
	privsep/calls_auth_passwd.o privsep/calls_auth_system.o \
	privsep/account.o privsep/passwd_file.o $(CHILD)

# net's own half of $(RIGHTS), which configure chooses.
CHANGE_LINUX = $(RIGHTS:rights_linux.o=change_root_linux.o)
CHANGE_ROOT = $(CHANGE_LINUX:rights_openbsd.o=change_root_openbsd.o)

SPLICE_LINUX = $(RIGHTS:privsep/rights_linux.o=net/splice_linux.o)
SPLICE = $(SPLICE_LINUX:privsep/rights_openbsd.o=net/splice_openbsd.o)

NET = net/net.o net/session.o net/command.o net/pop1.o net/pop2.o \
	net/pop3.o net/plain.o net/login.o net/login_turns.o net/store_link.o \
	net/relay.o net/ahead.o net/stream.o $(SPLICE) net/tls.o net/keys_link.o privsep/calls_net.o \
	privsep/network_has.o $(CHANGE_ROOT) $(CHILD)

REWRITE = mailstore/rewrite.o mailstore/rewrite_begin.o \
	mailstore/rewrite_move.o mailstore/journal.o \
	mailstore/journal_format.o mailstore/disk.o

SINGLE_FILE = mailstore/single_file.o mailstore/single_send.o \
	mailstore/single_commit.o mailstore/mbox_from.o mailstore/mbox_scan.o \
	mailstore/mailtxt.o mailstore/mailtxt_header.o mailstore/mboxrd.o \
	mailstore/index.o mailstore/index_read.o mailstore/index_format.o

FILES = mailstore/detect.o mailstore/message_file.o mailstore/file_list.o \
	mailstore/file_mailbox.o mailstore/file_index.o \
	mailstore/maildir.o mailstore/mh.o \
	mailstore/mh_sequences.o

MAILDROP = mailstore/maildrop.o mailstore/uid_content.o \
	mailstore/uids.o mailstore/uid_foreign.o mailstore/uidlist.o \
	mailstore/uid_popa3d.o \
	mailstore/login_delay.o

# All formats behind the operations of mailbox.h.
MAILBOX = mailstore/lock.o mailstore/place.o mailstore/dotlock.o \
	mailstore/lines.o mailstore/line_count.o mailstore/line_crlf.o \
	mailstore/seal.o mailstore/dots.o mailstore/wire.o $(SINGLE_FILE) \
	$(FILES) $(REWRITE)

# From what a client names to a mailbox.
NAMES = mailstore/template.o mailstore/folder.o mailstore/inbox.o \
	mailstore/mh_profile.o

STORE = mailstore/store.o mailstore/maildrop_requests.o $(NAMES) $(MAILBOX) \
	$(MAILDROP) privsep/calls_store.o $(CHILD)

MAILTOOL = mailstore/tool.o mailstore/tool_source.o mailstore/tool_check.o \
	mailstore/tool_content.o mailstore/tool_files.o \
	mailstore/tool_convert.o mailstore/tool_write.o \
	mailstore/tool_target.o $(MAILBOX) privsep/calls_mailbox.o \
	privsep/privdrop.o $(RIGHTS) $(CHILD)

KEYS = privsep/keys.o privsep/keys_pair.o privsep/net_peers.o \
	privsep/calls_keys.o $(CHANGE_ROOT) $(CHILD)

LOCK = privsep/spool_lock.o privsep/calls_lock.o mailstore/dotlock.o $(CHILD)

CONFIG = privsep/config_reader.o privsep/config.o privsep/network.o $(CHILD)

CTL = privsep/posternctl.o privsep/config.o privsep/config_open.o \
	privsep/account.o privsep/passwd_file.o privsep/passwd_named.o \
	privsep/network.o privsep/ipc.o privsep/log.o

SELFSIGNED = privsep/selfsigned.o privsep/log.o

PROGRAMS = posternd postern-net postern-auth postern-store postern-lock \
	postern-keys postern-config postern-mailbox postern-selfsigned \
	posternctl

programs: $(PROGRAMS)

$(PROGRAMS): $(SANITIZER) config.mk

# What test programs link: all but the files that hold a main().
objects: regress/lib/objects.a

TESTED = privsep/config.o privsep/config_open.o privsep/listen.o privsep/account.o \
	privsep/passwd_file.o privsep/passwd_named.o privsep/network.o \
	privsep/network_has.o privsep/privdrop.o $(RIGHTS) $(CHANGE_ROOT) \
	$(AUTH_SYSTEM) \
	privsep/auth_hash.o privsep/auth_named.o privsep/auth_passwd.o \
	privsep/calls_auth_passwd.o privsep/calls_auth_system.o privsep/calls_net.o \
	privsep/calls_store.o $(CHILD) net/session.o net/command.o \
	net/pop1.o net/pop2.o net/pop3.o net/plain.o net/login.o \
	net/login_turns.o net/store_link.o net/relay.o net/ahead.o net/stream.o $(SPLICE) net/tls.o net/keys_link.o \
	privsep/calls_lock.o privsep/calls_keys.o privsep/calls_mailbox.o \
	privsep/keys_pair.o \
	privsep/net_peers.o $(NAMES) $(MAILBOX) $(MAILDROP)

regress/lib/objects.a: $(TESTED)
	@echo "  AR $@"
	@rm -f $@
	@ar rc $@ $(TESTED)

posternd: $(PARENT)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(PARENT) $(PARENT_LIBS)

postern-net: $(NET)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(NET) $(EVENT_LIBS) $(GNUTLS_LIBS) $(BSD_LIBS)

postern-auth: $(AUTH)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(AUTH) $(SODIUM_LIBS) $(CRYPT_LIBS) $(BSD_LIBS)

postern-store: $(STORE)
	@echo "  LD $@"
	@$(CC) $(OPTIMIZE) $(HARDENING) $(LINK_STORE) $(SANITIZER) -o $@ \
	    $(STORE) $(STORE_LIBS)

postern-lock: $(LOCK)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(LOCK) $(SODIUM_LIBS) $(BSD_LIBS)

postern-keys: $(KEYS)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(KEYS) $(GNUTLS_LIBS) $(BSD_LIBS)

postern-config: $(CONFIG)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(CONFIG) $(BSD_LIBS)

postern-mailbox: $(MAILTOOL)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(MAILTOOL) $(SODIUM_LIBS) $(BSD_LIBS)

posternctl: $(CTL)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(CTL) $(SODIUM_LIBS) $(BSD_LIBS)

postern-selfsigned: $(SELFSIGNED)
	@echo "  LD $@"
	@$(LINKED) -o $@ $(SELFSIGNED) $(GNUTLS_LIBS) $(BSD_LIBS)

$(PARENT) $(AUTH) $(NET) $(STORE) $(LOCK) $(KEYS) $(CONFIG) $(MAILTOOL) \
    $(SELFSIGNED) $(CTL): $(HEADERS) config.mk

.c.o:
	@echo "  CC $@"
	@$(COMPILE) -c -o $@ $<

# For the audit: the objects of each program.
print-objects:
	@echo posternd: $(PARENT)
	@echo postern-net: $(NET)
	@echo postern-auth: $(AUTH)
	@echo postern-store: $(STORE)
	@echo postern-lock: $(LOCK)
	@echo postern-keys: $(KEYS)
	@echo postern-config: $(CONFIG)
	@echo postern-mailbox: $(MAILTOOL)
	@echo postern-selfsigned: $(SELFSIGNED)
	@echo posternctl: $(CTL)
