/*
 * files_test.c - commits in MH folders, Maildirs and default mailboxes of
 * three parts: a short version of what `make crash` does with them.
 */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "box.h"

/* A fork of a sanitized process takes many times as long: less is tried. */
#ifdef POSTERN_SANITIZED
#define FEWER(step)	(2 * (step))
#else
#define FEWER(step)	(step)
#endif

/* Every `step`th pattern, from the one that marks every second message. */
static void
over_patterns(enum box_kind kind, unsigned int step,
    void (*bench)(struct box *))
{
	unsigned int pattern;

	faults_begin();
	crash_verbose = 1;
	for (pattern = SECOND; pattern < SECOND + PATTERNS; pattern += step) {
		struct box box = { .kind = kind, .pattern = pattern %
		    PATTERNS, .arrival = (pattern / step) % 2 };

		box_open(&box);
		bench(&box);
		box_close(&box);
	}
	printf("%llu points, %llu states, %llu messages at stake, "
	    "%llu losses\n", figures.points, figures.states,
	    figures.messages, figures.losses);
	ATF_CHECK_EQ(figures.losses, 0);
	ATF_CHECK(figures.states > 0);
}

/* A next session that is killed as well is tried for one pattern. */
static void
kills(struct box *box)
{
	box_kill_everywhere(box, box->pattern == SECOND &&
	    box->kind != BOX_INBOX);
}

static void
power_cuts(struct box *box)
{
	box_cut_power_everywhere(box, 8);
}

#define OVER_KINDS(name, bench, step, step_in_parts)			\
ATF_TC_WITHOUT_HEAD(name);						\
ATF_TC_BODY(name, tc)							\
{									\
	enum box_kind kind;						\
									\
	(void)tc;							\
	for (kind = 0; kind < BOX_INBOX; kind++)			\
		over_patterns(kind, FEWER(step), bench);		\
}									\
ATF_TC_WITHOUT_HEAD(name##_in_parts);					\
ATF_TC_BODY(name##_in_parts, tc)					\
{									\
	(void)tc;							\
	over_patterns(BOX_INBOX, FEWER(step_in_parts), bench);		\
}

OVER_KINDS(killed, kills, 1, 2)
OVER_KINDS(errors, box_fail_everywhere, 3, PATTERNS)
OVER_KINDS(power, power_cuts, 1, 3)

/* What may go wrong with a box, and is made to by hand. */
static void
in_box(const struct box *box, const char *command)
{
	char line[300];

	(void)snprintf(line, sizeof(line), "cd %s && %s", box->directory,
	    command);
	ATF_REQUIRE_EQ_MSG(0, system(line), "%s", line);
}

ATF_TC_WITHOUT_HEAD(checker);
ATF_TC_BODY(checker, tc)
{
	static const char *const wrongs[] = { "rm mh/1", "cp mh/1 mh/9",
	    "mv mh/1 mh/,1", "cp mh/2 mh/1", "echo >>mh/1", "echo >mh/9",
	    "rm maildir/cur/*", "cp maildir/new/1014.x maildir/cur/1013.x:2,FS",
	    "cp maildir/new/1014.x maildir/cur/1014.x:2,", ">mbox",
	    "tail -n 2 mbox >more; cat more >>mbox; rm more",
	    "rm mh/.mh_sequences", "echo odd >mh/.mh_sequences" };
	struct box box = { .kind = BOX_INBOX, .pattern = SECOND };
	size_t i;

	(void)tc;
	faults_begin();
	box_open(&box);
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		box_reset(&box);
		ATF_CHECK_EQ(0, box_check(&box, MUST_BE_THERE, "before"));
		in_box(&box, wrongs[i]);
		ATF_CHECK_EQ_MSG(1, box_check(&box, MAY_BE_GONE, wrongs[i]),
		    "%s", wrongs[i]);
	}
	box_reset(&box);
	in_box(&box, "rm mh/2");
	ATF_CHECK_EQ(0, box_check(&box, MAY_BE_GONE, "one is gone"));
	ATF_CHECK_EQ(1, box_check(&box, MUST_BE_THERE, "one is gone"));
	ATF_CHECK_EQ(1, box_check(&box, MUST_BE_GONE, "others are there"));
	box_reset(&box);
	box_close(&box);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, checker);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, killed_in_parts);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, errors_in_parts);
	ATF_TP_ADD_TC(tp, power);
	ATF_TP_ADD_TC(tp, power_in_parts);
	return (atf_no_error());
}
