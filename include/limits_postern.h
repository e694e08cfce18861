/*
 * limits_postern.h - every limit of Postern has its name and its reason here.
 *
 * Included by every process; holds nothing but constants.
 */
#ifndef LIMITS_POSTERN_H
#define LIMITS_POSTERN_H

/* RFC 937 "Sizes": a command or reply line with its CRLF, in octets. */
#define LINE_OCTETS_MAX		512

/* RFC 2449 section 4: the same for POP3's commands. */
#define POP3_LINE_OCTETS_MAX	255

/*
 * An answer to AUTH PLAIN: three words of up to 255 octets with NULs between
 * them (RFC 4616), in base64, and CRLF.  RFC 5034 section 4 wants room for it.
 */
#define SASL_LINE_OCTETS_MAX	(4 * ((3 * 255 + 2 + 2) / 3) + 2)

/* RFC 1939, section 3: an autologout timer's least seconds. */
#define POP3_TIMEOUT_LEAST	600

/* RFC 1939, UIDL: at most 70 characters. */
#define UID_SIZE		71

/* RFC 5321's longest host name; it must leave room in a greeting line. */
#define HOST_NAME_SIZE		256

/* A POSIX login name is at most 32; virtual users are often addresses. */
#define USER_SIZE		128

/* Behind "PASS ", and before CRLF: no line carries a longer password. */
#define PASSWORD_OCTETS_MAX	(LINE_OCTETS_MAX - 7)

/* A line holds 512 octets, so no argument is longer than that. */
#define PASSWORD_SIZE		LINE_OCTETS_MAX
#define FOLDER_SIZE		LINE_OCTETS_MAX

/* The largest uid or gid; the one above it means "none" to the kernel. */
#define ACCOUNT_ID_MAX		4294967294

/* Paths from the configuration and from the account data base. */
#define PATH_SIZE		1024

/*
 * A maildrop of the passwd file: with a uid before it, it is the name of a
 * directory of state (NAME_MAX is 255).
 */
#define MAILDROP_LENGTH_MAX	240

/* A socket's address: sockaddr_in6 has 28 bytes. */
#define ADDRESS_SIZE		32

/* "[v6 address%scope]:port". */
#define PEER_SIZE		80

/* A reason told to a client fits a reply line beside "-ERR " and CRLF. */
#define REASON_SIZE		256

/* A log line: the longest names above, escaped, and their keys. */
#define LOG_TEXT_SIZE		2048

/* One datagram between processes (a page pair; far under any SO_SNDBUF). */
#define IPC_MESSAGE_MAX		8192

/*
 * Rows of a sandbox's list of system calls: some 60, and 20 more for a
 * sanitizer's runtime.  Instructions of the filter that is made of them: two
 * to nine a row, and two for a few rows together.
 */
#define SANDBOX_ROWS_MAX	128
#define SANDBOX_FILTER_MAX	512

/* The most descriptors that one message hands over. */
#define IPC_DESCRIPTORS_MAX	2

/* Listeners and networks in one configuration: more is a mistake. */
#define LISTENERS_MAX		32
#define NETWORKS_MAX		64

/* Certificates that SNI chooses from: more than this is a hoster's work. */
#define CERTIFICATES_MAX	16

/* A certificate's file or a key's: five certificates of 4096-bit RSA. */
#define PEM_FILE_SIZE		65536

/* A chain as net gets it (more costs every handshake that much), in pieces. */
#define CHAIN_SIZE		32768
#define CHAIN_PIECE_SIZE	4096
#define CHAIN_CERTIFICATES_MAX	8

/* GnuTLS's master key of session tickets. */
#define TICKET_KEY_SIZE		64

/*
 * What TLS signs: two randoms and an ECDH share (165 octets with secp384r1,
 * RFC 8422), or RFC 8446's padding, context and hash (146 at most).
 */
#define SIGN_CONTENT_SIZE	168

/* A signature by an RSA key of 8192 bits. */
#define SIGNATURE_SIZE		1024

/* A shorter RSA key is not worth hiding. */
#define RSA_BITS_MIN		2048

/*
 * How long net waits for a signature: RSA takes about 1 ms, and 64 nets may
 * ask at one time.  It is not asked again before a late answer has come.
 */
#define SIGN_ANSWER_MS		500

/* A replaced key still signs for handshakes that began before. */
#define KEY_RETIRED_SECONDS	10

/* Tickets are good for so long, and their key lives as long. */
#define TICKET_SECONDS		7200

/* A ClientHello is some hundred octets; with post-quantum shares 2,000. */
#define HANDSHAKE_OCTETS_MAX	16384

/* More workers than this help no machine that reads mail. */
#define NET_PROCESSES_MAX	64
#define AUTH_PROCESSES_MAX	64

/* Stores at one time: each costs a process and one descriptor of posternd. */
#define SESSIONS_MAX		16384

/*
 * Stores of one user at one time: more than one is a workstation that came
 * back, or POP1 clients between their transactions; none of them may keep
 * the others' users out.
 */
#define SESSIONS_PER_USER_MAX	16

/* Connections that one net process will hold (each is a descriptor). */
#define CONNECTIONS_MAX		1000000

/*
 * What one verification may take: libsodium's "interactive" Argon2id wants
 * 64 MiB, a costly yescrypt 32; the rest is the program itself.  A hash
 * that asks for more cannot be verified, and that is logged.
 */
#define AUTH_MEMORY_BYTES	(256UL * 1024 * 1024)

/* What of that the program itself takes: its libraries and its stack. */
#define AUTH_PROGRAM_BYTES	(32UL * 1024 * 1024)

/*
 * Logins that one net process may have before the authenticators at a time;
 * the others wait in net, in order.  They fit the socket buffer, so that a
 * send to the authenticators never blocks.
 */
#define LOGINS_ASKED_MAX	32

/*
 * Of these, logins from one address: enough to keep every authenticator
 * busy, and few enough that another address's login comes soon.
 */
#define LOGINS_PER_PEER		8

/*
 * A refused login is answered so much later: whoever tries a thousand
 * passwords at once leaves the authenticators and the processor to others.
 */
#define LOGIN_REFUSED_SECONDS	2

/* After this the answer to a login will not come any more. */
#define LOGIN_ANSWER_SECONDS	300

/* Failed logins on one POP1 connection before it is closed. */
#define LOGIN_TRIES_MAX		3

/* Commands that make no sense, on one POP1 connection, before it closes. */
#define BAD_COMMANDS_MAX	10

/* How long a closed connection is drained so that its peer sees the reply. */
#define LINGER_SECONDS		2

/*
 * How long the answer to a client's last command may still take when the
 * client has closed: under the second after which its mailbox must be free.
 */
#define VANISHED_MS		700

/* What moves in one read or write of mail: a Linux pipe's own size. */
#define RELAY_BYTES		65536

/* A pipe's least size, where it does not tell (OpenBSD's PIPE_SIZE). */
#define PIPE_BYTES_LEAST	16384

/* What is read at once where a header alone is wanted: most fit. */
#define HEADER_READ_BYTES	4096

/*
 * A passwd file line: name, hash (128), numbers, two paths.  The 16 networks
 * of a further password are shorter than those.
 */
#define PASSWD_LINE_SIZE	(USER_SIZE + 2 * PATH_SIZE + 512)

/* What is read of that file at once: six such lines, or a hundred common. */
#define PASSWD_READ_BYTES	16384

/* A configuration line. */
#define CONFIG_LINE_SIZE	2048

/* The name of a further password of a user; it stands in a log line. */
#define PASSWORD_NAME_SIZE	64

/*
 * Further passwords of one user: a login may cost so many hashes beside the
 * account's own.  And networks in which one of them may be used: more are a
 * mistake.
 */
#define PASSWORDS_NAMED_MAX	8
#define PASSWORD_NETWORKS_MAX	16

/*
 * Restart of a dead child: the first wait; a wait below the second number is
 * doubled, so that the longest is 51.2 seconds; and "ran well".
 */
#define RESTART_FIRST_MS	100
#define RESTART_LONGEST_MS	50000
#define RESTART_FORGIVEN_MS	60000

/* How long sessions may finish their command when the daemon stops. */
#define STOP_SECONDS		30

/* How often, in ms, a taken lock is tried again (plus a random part). */
#define LOCK_RETRY_MS		20

/*
 * How long, in ms, a message of MH must have been left alone before it is
 * deleted: agents (procmail, inc) give it its name first and then write it.
 */
#define MH_STILL_MS		2000

/*
 * A message whose times lie further back than this is nobody's to write any
 * more: the clocks that set and that judge them may differ by a zone or by
 * summer time, but not by a day.
 */
#define MH_OLD_SECONDS		86400

/* How often a commit waits anew for messages that are touched meanwhile. */
#define MH_STILL_TRIES		3

/* Parts of a default mailbox: RFC 937 names two for UNIX. */
#define INBOX_PARTS_MAX		3

/* Kinds of lock on a mailbox at one time: fcntl, flock and a dotlock. */
#define LOCK_KINDS_MAX		3

/*
 * A held dotlock is made young again so often.  One that this should have
 * happened to, and that is as old as the second number, has lost its owner;
 * one of another program is given up after the third, which is longer than
 * any delivery agent holds one (and shorter than most wait for one).
 */
#define DOTLOCK_REFRESH_SECONDS	10
#define DOTLOCK_DEAD_SECONDS	120
#define DOTLOCK_STALE_SECONDS	600

/*
 * Where no dotlock can be made, and so none removed either, one of this age is
 * stale though the mailbox has changed since: its own sessions change it.
 */
#define DOTLOCK_LEFT_SECONDS	3600

/* Files that postern-lock keeps for its next locks: so many at one time. */
#define DOTLOCK_KEPT_MAX	8

/*
 * What the parent's fork for a session has to find the account: who waits
 * longer for a name service has no client any more.  What it makes then is not
 * cut off: a state directory that is there counts as synced.
 */
#define ACCOUNT_SECONDS		30

/* How long postern-lock may take for an answer; it never waits itself. */
#define LOCK_ANSWER_SECONDS	10

/* A mailbox that is replaced while it is locked is opened so often again. */
#define MAILBOX_OPEN_TRIES	5

/*
 * How long at least to try for a mailbox that another session has (at most
 * twice that): a client whose line dropped and who is back at once may meet
 * the old session's end.
 */
#define SESSION_LOCK_MS		1000

/* A From_ line longer than this is text: RFC 5322 lines end at 998. */
#define FROM_LINE_MAX		1000

/* A sender's address that goes into a From_ line: RFC 5321's longest path. */
#define SENDER_SIZE		257

/*
 * So far into a message its Return-Path is looked for: delivery agents write
 * it first.
 */
#define RETURN_PATH_BYTES	65536

/*
 * An index of a mailbox: a smaller mailbox is read in the time that writing an
 * index takes; an index has 48 bytes a message, which shall be no more than an
 * eighth of the mail; and it is read at each opening, so that its size has an
 * end: 48 MB.
 */
#define INDEX_MAILBOX_BYTES_MIN	1048576
#define INDEX_MESSAGE_BYTES_MIN	(8 * 48)
#define INDEX_MESSAGES_MAX	1000000

/*
 * An index of messages that are files has 88 bytes for each, where a file takes
 * 4 KiB; fewer files than this are read in the time that it takes.  A larger
 * file than 1 TiB is not in it, so that a million of them can be summed up.
 */
#define FILE_INDEX_MESSAGES_MIN	16
#define FILE_INDEX_BYTES_MAX	(1ULL << 40)

/* A large page of memory: x86-64's, and that of others with pages of 4 KiB. */
#define LARGE_PAGE_BYTES	2097152U

/*
 * Indexes of one user, of which those go that were written first: who has more
 * folders than this does not read all of them each day.
 */
#define INDEXES_MAX		64

/*
 * The coarsest clock that file systems have is FAT's: two seconds.  Two changes
 * within its tick leave one and the same date.
 */
#define INDEX_SETTLED_SECONDS	2

/*
 * A list of sequences longer than this is no person's: a hundred thousand
 * numbers with gaps are some 700 KB.
 */
#define MH_SEQUENCES_BYTES_MAX	4194304U

/* nmh keeps message numbers in an int. */
#define MH_NUMBER_MAX		2147483647

/* A file of settings longer than this is not read for one line of it. */
#define MH_PROFILE_BYTES_MAX	65536

/*
 * The longest line before a message of MAIL.TXT: 20 bytes of date and time,
 * 7 of zone, 20 digits of octets, 12 of flags, two signs, and CRLF.
 */
#define MAILTXT_HEADER_MAX	63

/* POSIX (_POSIX_TZNAME_MAX): no system must know longer names of zones. */
#define ZONE_LETTERS_MAX	6

/*
 * Room in each user's state directory that makes deleting possible on a full
 * disk: some thousand gaps, and steps of about 120 KB.
 */
#define RESERVE_BYTES		262144

/*
 * Steps of a commit in the reserve: two fsyncs and about 120 KB each, so
 * that the mailbox's locks are held for seconds on a fast disk, and for less
 * than a minute on a slow one.
 */
#define RESERVE_STEPS_MAX	1000

/*
 * Mail in one of a journal's two areas: enough that a step's two fsyncs are
 * little beside its copying, and a journal's room little beside a mailbox
 * that needs both areas.
 */
#define JOURNAL_AREA_BYTES	(16UL * 1024 * 1024)

/*
 * Where all that is left of the mail moves down by so much, it is not put into
 * a journal: to move it by so much at a time takes two fsyncs each, which cost
 * no more than to write it twice.
 */
#define JOURNAL_GAP_BYTES	(4UL * 1024 * 1024)

/*
 * Journals of one mailbox that are looked at in an opening: each costs a
 * listing of the directory and a log line, and one that is left is some
 * mailbox's that was interrupted and then replaced.  With more it is not
 * served, since the one that it needs may be among them.
 */
#define JOURNALS_MAX		64

/* So much of a mailbox before and in a gap is looked at before a replay. */
#define JOURNAL_PIECE_BYTES	65536

/*
 * Moving mail down by more than it is long needs no copy of it in a journal;
 * up to so many steps of two fsyncs each are better than writing it twice.
 */
#define STEPS_WITHOUT_COPY	3

/* How often a rewrite goes on after an error before it is left to recovery. */
#define REWRITE_TRIES		3

/*
 * Messages in one folder.  At under 100 bytes each in an mbox this bounds a
 * snapshot at under 1.6 GB, at under 250 with a file for each at 4 GB; and
 * a message number always fits an int32_t of a client.
 */
#define MESSAGES_MAX		16000000U

#endif
