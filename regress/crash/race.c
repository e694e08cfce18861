/*
 * race.c - a whole race: daemon, lanes, clients, and the judgement.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race.h"

#define MAIL_GROUP	8	/* of the harness's spool, too */
#define CLIENTS		12	/* two of POP2 and one of POP1 to a user */
#define READ_TRIES	30
#define TICK_MS		2

/* A race in which nothing at all happens for so long hangs. */
#define PATIENCE_MS	120000

static void
make_users(struct race *race)
{
	unsigned int user;

	for (user = 0; user < RACE_USERS; user++) {
		server_add_user(&race->server, race_user(user), RACE_PASSWORD,
		    race->agent->uid);
		race_make_box(race, user);
	}
}

/* Where group mail cannot make lock files, everybody may. */
static void
open_spool(const struct race *race)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/spool",
	    race->server.directory);
	if (race->server.privileged && race->agent->open_spool)
		ATF_REQUIRE(chmod(path, 01777) == 0);
}

static void
become_user(const struct race *race)
{
	const gid_t group = race->agent->open_spool ?
	    (gid_t)race->agent->uid : MAIL_GROUP;

	if (!race->server.privileged || race->agent->as_root)
		return;
	if (setgroups(1, &group) == -1 || setgid(group) == -1 ||
	    setuid(race->agent->uid) == -1)
		_exit(1);
}

/* Lanes come first in the numbers, then clients. */
static pid_t
start_one(struct race *race, unsigned int number)
{
	const pid_t parent = getpid();
	const unsigned int client = number - RACE_LANES;
	pid_t pid;

	(void)fflush(NULL);
	if ((pid = fork()) != 0) {
		ATF_REQUIRE(pid != -1);
		return (pid);
	}
	if (number < RACE_LANES)
		become_user(race);
	/* Nobody outlives the test. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (number < RACE_LANES)
		race_lane(race, number);
	else if (client / RACE_USERS == 0)
		race_pop1(race, client % RACE_USERS, number);
	else
		race_pop2(race, client % RACE_USERS, number);
	_exit(0);
}

/* A rewrite is under way: its journal is there. */
static int
is_rewriting(const struct race *race)
{
	char pattern[400];
	glob_t found;
	int there;

	(void)snprintf(pattern, sizeof(pattern), "%s/state/*/journal.*",
	    race->server.directory);
	there = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
	globfree(&found);
	return (there);
}

/* Rarely at any time, and often in the middle of a rewrite. */
static void
kill_a_store(struct race *race, uint64_t *random)
{
	/* Where there is no journal, that cannot be seen. */
	const uint32_t every = is_rewriting(race) ? 2 :
	    race->agent->form >= RACE_MH ? 8 : 32;
	pid_t store;

	if (race_random(random, every) != 0)
		return;
	store = children_find(&race->server, "postern-store",
	    (int)race_random(random, 2));
	if (store > 0 && kill(store, SIGKILL) == 0)
		atomic_fetch_add(&race->ledger->kills, 1);
}

/* Waits for `count` processes; kills stores meanwhile, if that is wanted. */
static void
wait_for(struct race *race, const pid_t *pids, unsigned int count, int kills)
{
	uint64_t random = 1;
	unsigned int i, seen = 0;
	int status, waited = 0;

	for (i = 0; i < count; waited += TICK_MS) {
		while (i < count && waitpid(pids[i], &status, WNOHANG) ==
		    pids[i]) {
			ATF_CHECK_EQ_MSG(status, 0, "a process of the race "
			    "ended with status %#x", (unsigned int)status);
			i++;
		}
		ATF_REQUIRE_MSG(race->ledger->complaints == 0, "%s",
		    race->ledger->texts[0]);
		if (race->ledger->progress != seen)
			waited = 0;
		seen = race->ledger->progress;
		ATF_REQUIRE_MSG(waited < PATIENCE_MS, "the race hangs");
		if (i < count)
			(void)poll(NULL, 0, TICK_MS);
		if (kills)
			kill_a_store(race, &random);
	}
}

/* What is interrupted is completed by this, and all of it is read again. */
static void
judge(struct race *race, unsigned int user, struct race_verdict *verdict)
{
	struct race_verdict mine;
	int tries, count = -1;
	size_t length;
	char *bytes;

	memset(&mine, 0, sizeof(mine));
	for (tries = 0; tries < READ_TRIES && count == -1; tries++)
		count = race_read_all(race, user);
	bytes = race_box_read(race, user, &length);
	(void)race_judge(race, user, bytes, length, &mine);
	free(bytes);
	if (count != (int)mine.left)
		race_complain(race, "a client reads %d messages, the mailbox "
		    "has %u", count, mine.left);
	verdict->delivered += mine.delivered;
	verdict->gone += mine.gone;
	verdict->unsure += mine.unsure;
	verdict->left += mine.left;
	verdict->lost += mine.lost;
	verdict->doubled += mine.doubled;
	verdict->damaged += mine.damaged;
	verdict->returned += mine.returned;
	verdict->disorder += mine.disorder;
}

static void
tell(const struct race *race, const struct race_verdict *verdict)
{
	const struct race_ledger *ledger = race->ledger;
	unsigned int i;

	printf("%-17s %-5s %9u %6u %6u %6u %5u %7u %7u %5u %8u %6u %6u\n",
	    race->agent->name, race->kills ? "kills" : "-",
	    verdict->delivered, verdict->gone, verdict->left,
	    verdict->unsure, verdict->lost,
	    verdict->doubled + verdict->returned,
	    verdict->damaged + verdict->disorder, ledger->kills,
	    ledger->sessions, ledger->busy, ledger->commits);
	for (i = 0; i < ledger->complaints && i < RACE_COMPLAINTS; i++)
		fprintf(stderr, "%s\n", ledger->texts[i]);
	(void)fflush(stdout);
}

static void
run_processes(struct race *race)
{
	pid_t pids[RACE_LANES + CLIENTS];
	unsigned int i;

	for (i = 0; i < RACE_LANES + CLIENTS; i++)
		pids[i] = start_one(race, i);
	wait_for(race, pids, RACE_LANES, race->kills);
	if (race->agent->settle != NULL)
		race->agent->settle(race);
	race->ledger->stop = 1;
	wait_for(race, pids + RACE_LANES, CLIENTS, 0);
}

void
race_run(const struct race_agent *agent, unsigned int count, int kills)
{
	struct race race = { .agent = agent, .count = count, .kills = kills };
	struct race_verdict verdict;
	unsigned int user;

	memset(&verdict, 0, sizeof(verdict));
	if (agent->program != NULL && access(agent->program, X_OK) == -1)
		atf_tc_skip("%s is not installed", agent->program);
	race_open(&race);
	server_prepare(&race.server, agent->settings);
	make_users(&race);
	open_spool(&race);
	if (agent->begin != NULL)
		agent->begin(&race);
	server_run(&race.server);
	run_processes(&race);
	if (agent->end != NULL)
		agent->end(&race);
	for (user = 0; user < RACE_USERS; user++)
		judge(&race, user, &verdict);
	tell(&race, &verdict);
	ATF_CHECK_EQ_MSG(race.ledger->complaints, 0, "%u complaints, the "
	    "first: %s", race.ledger->complaints, race.ledger->texts[0]);
	ATF_CHECK_EQ(verdict.delivered, RACE_LANES * count);
	ATF_CHECK(verdict.gone > 0 && race.ledger->commits > 0);
	server_stop(&race.server);
	race_close(&race);
}
