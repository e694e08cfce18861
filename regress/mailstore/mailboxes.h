/*
 * mailboxes.h - awkward mailboxes, and how many messages each one holds.
 *
 * Test code alone.  The count is stated so that splitter.h is checked, too.
 */
#ifndef MAILBOXES_H
#define MAILBOXES_H

#include <stddef.h>

#define A	"From ann@example.org Sat Nov 21 23:33:00 2026"
#define B	"From bob@example.org Sun Nov 22 01:02:03 2026"
#define C	"From carol@example.org Mon Nov 23 11:12:13 2026"
#define ONE	A "\nSubject: one\n\nfirst\n\n"
#define TWO	B "\nSubject: two\n\nthe second\n\n"
#define THREE	C "\nSubject: three\n\nthe third one\n\n"

struct awkward {
	const char *name;
	const char *bytes;
	size_t length;
	size_t messages;
};

#define BYTES(bytes)	bytes, sizeof(bytes) - 1

static const struct awkward line_ends[] = {
	{ "LF", BYTES(ONE TWO THREE), 3 },
	{ "CRLF", BYTES(A "\r\nSubject: one\r\n\r\nfirst\r\n\r\n"
	    B "\r\nSubject: two\r\n\r\nthe second\r\n\r\n"), 2 },
	{ "mixed", BYTES(A "\r\nSubject: one\n\r\nfirst\n\r\n"
	    B "\nSubject: two\r\n\nthe second\r\nand last\n\n" THREE), 3 },
	{ "empty CRLF line before LF", BYTES(A "\nfirst\n\r\n" TWO), 2 },
	{ "empty LF line before CRLF", BYTES(A "\r\nfirst\r\n\n" TWO), 2 },
	{ "bare CR", BYTES(A "\nSub\rject: one\n\na\rb\r\rc\n\n" TWO), 2 },
	{ "CR CR LF", BYTES(A "\nfirst\r\r\n\r\r\n" B "\ntext\n\n" THREE), 2 },
	{ "a line of CR", BYTES(A "\n\r\nfirst\n\r\r\r\n\n" TWO), 2 },
	{ "CR between line feeds", BYTES(A "\nfirst\n\r" B "\n\n" TWO), 2 },
	{ "8-bit", BYTES(A "\nSubject: \xfc\xff\x80\n\n\xe2\x82\xac\xfe\n\n"
	    "From \xe9@example.org Sat Nov 21 23:33:00 2026\n\xa0\n\n"), 2 },
	{ "NUL octets", BYTES(A "\nSub\0ject\n\n\0\0\0\n\0\n\n" TWO), 2 },
	{ "NUL before From", BYTES(A "\n\n\0" B "\n\n" TWO), 2 },
	{ "NUL alone on the line before", BYTES(A "\ntext\n\0\n" TWO), 1 },
	{ "all octets", BYTES(A "\n\001\002\003\004\005\006\007\010\011\013"
	    "\014\016\017\020\021\022\023\024\025\026\027\030\031\032\033"
	    "\034\035\036\037\177\200\201\377\n\n" TWO), 2 },
};

static const struct awkward separators[] = {
	{ "From, no empty line, no date", BYTES(A "\n\ntext\nFrom here on\n\n"
	    TWO), 2 },
	{ "From, no empty line, a date", BYTES(A "\n\ntext\n" B "\nmore\n\n"
	    TWO), 2 },
	{ "From, empty line, no date", BYTES(A "\n\ntext\n\nFrom here on\n\n"
	    "From now\n\n" TWO), 2 },
	{ "From, empty line, a date", BYTES(A "\n\ntext\n\n" B "\nmore\n\n"
	    TWO), 3 },
	{ "From alone", BYTES(A "\n\nFrom\n\nFrom \n\nFrom  \n\n" TWO), 2 },
	{ "quoted From", BYTES(A "\n\n>" B "\n\n>>" C "\n\n" TWO), 2 },
	{ "a header From:", BYTES(A "\nx\n\nFrom: bob Sun Nov 22 01:02:03 "
	    "2026\n\n" TWO), 2 },
	{ "in lower case", BYTES(A "\n\nfrom bob Sun Nov 22 01:02:03 2026\n\n"
	    TWO), 2 },
	{ "a blank first", BYTES(A "\n\n " B "\n\n\t" B "\n\n" TWO), 2 },
	{ "a line of blanks before", BYTES(A "\ntext\n \n" B "\n\t\n" C
	    "\n\n" TWO), 2 },
	{ "no address", BYTES(A "\n\nFrom Sun Nov 22 01:02:03 2026\n\n"
	    TWO), 2 },
	{ "an address with blanks", BYTES(A "\n\ntext\n\nFrom bob the 2nd "
	    "<b@x> Sun Nov 22 01:02:03 2026\n\n" TWO), 3 },
	{ "no seconds", BYTES(A "\n\ntext\n\nFrom bob Sun Nov 22 01:02 2026\n"
	    "\n" TWO), 3 },
	{ "a zone before the year", BYTES(A "\n\ntext\n\n"
	    "From bob Sun Nov 22 01:02:03 MET DST 2026\n\n"
	    "From bob Sun Nov 22 01:02:03 +0100 2026\n\n" TWO), 4 },
	{ "a zone after the year", BYTES(A "\n\ntext\n\n"
	    "From bob Sun Nov 22 01:02:03 2026 -0700\n\n"
	    "From bob Sun Nov 22 01:02:03 2026 remote from x\n\n" TWO), 4 },
	{ "a short day", BYTES(A "\n\ntext\n\nFrom bob Sun Nov  2 1:02:03 2026"
	    "\n\nFrom bob Sun Nov 2 01:02:03 2026\n\n" TWO), 4 },
	{ "no such day", BYTES(A "\n\nFrom bob Son Nov 22 01:02:03 2026\n\n"
	    TWO), 2 },
	{ "no such month", BYTES(A "\n\nFrom bob Sun Mai 22 01:02:03 2026\n\n"
	    TWO), 2 },
	{ "no time", BYTES(A "\n\nFrom bob Sun Nov 22 2026\n\n" TWO), 2 },
	{ "no year", BYTES(A "\n\nFrom bob Sun Nov 22 01:02:03\n\n" TWO), 2 },
	{ "words for numbers", BYTES(A "\n\nFrom bob Sun Nov xx 01:02:03 2026"
	    "\n\nFrom bob Sun Nov 22 aa:bb:cc 2026\n\n" TWO), 2 },
	{ "cut date", BYTES(A "\n\nFrom bob Sun\n\nFrom bob Sun Nov 22 01:\n\n"
	    "From bob Sun Nov 22 01:02:03 20\n\n" TWO), 2 },
	{ "a lying Content-Length", BYTES(A "\nContent-Length: 9999\n\ntext\n"
	    "\n" B "\nContent-Length: 1\n\nmore\n\n"), 2 },
};

static const struct awkward ends[] = {
	{ "no newline at the end", BYTES(ONE B "\nSubject: two\n\nlast"), 2 },
	{ "CR at the end", BYTES(ONE B "\nSubject: two\n\nlast\r"), 2 },
	{ "one newline at the end", BYTES(ONE B "\nSubject: two\n\nlast\n"),
	    2 },
	{ "many newlines at the end", BYTES(ONE B "\n\nlast\n\n\n\n"), 2 },
	{ "empty body", BYTES(A "\nSubject: one\n\n\n" TWO), 2 },
	{ "header only", BYTES(A "\nSubject: one\n\n" B "\nSubject: two\n"),
	    2 },
	{ "no header and no body", BYTES(A "\n\n" B "\n\n" C "\n\n"), 3 },
	{ "an empty line for a message", BYTES(A "\n\n\n" B "\n\n\n"), 2 },
	{ "From_ line directly after From_ line", BYTES(A "\n" B "\n\n" TWO),
	    2 },
	{ "From_ line alone", BYTES(A "\n"), 1 },
	{ "From_ line alone, CRLF", BYTES(A "\r\n"), 1 },
	{ "From_ line with no newline", BYTES(A), 1 },
	{ "From_ line with no newline, last", BYTES(ONE B), 2 },
	{ "From_ line and CR, last", BYTES(ONE B "\r"), 1 },
	{ "empty lines before a separator", BYTES(A "\n\ntext\n\n\n\n\n" TWO
	    "\n\n" C "\n\n\n\n"), 3 },
	{ "empty CRLF lines before a separator", BYTES(A "\r\n\r\ntext\r\n\r\n"
	    "\r\n\n\r\n" TWO), 2 },
};

static const struct awkward preambles[] = {
	{ "one line", BYTES("This is not mail.\n\n" ONE TWO), 2 },
	{ "an empty line", BYTES("\n" ONE TWO), 2 },
	{ "empty lines", BYTES("\n\r\n\n" ONE TWO THREE), 3 },
	{ "no empty line behind it", BYTES("junk\n" ONE TWO), 1 },
	{ "octets", BYTES("\0\377\r\r\0junk\n\r\n" ONE TWO), 2 },
	{ "looks nearly so", BYTES("From nobody\n\nFrom: x\n\n" ONE TWO), 2 },
};

#endif
