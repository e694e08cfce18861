/*
 * sanitizer.c - how the sanitizers run inside the sandbox.
 *
 * Linked into every program of a sanitized build, and of no other.  The
 * children start with an empty environment, so it is said here; the leak
 * checker needs ptrace(2), which no process of Postern's has.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("detect_leaks=0:allocator_may_return_null=1");
}
