/*
 * template.c - paths with a user's name and home in them.
 *
 * Linked into postern-store; runs as the user.
 */
#include <string.h>

#include "template.h"

int
template_expand(const char *template, const char *user, const char *home,
    char *to, size_t size)
{
	const char *piece;
	char one[2] = "";

	to[0] = '\0';
	if (strncmp(template, "~/", 2) == 0) {
		(void)strlcpy(to, home, size);
		template++;
	}
	for (; *template != '\0'; template++) {
		one[0] = *template;
		piece = one;
		if (*template == '%')
			switch (*++template) {
			case 'u':
				piece = user;
				break;
			case 'h':
				piece = home;
				break;
			case '%':
				break;
			default:
				return (-1);
			}
		if (strlcat(to, piece, size) >= size)
			return (-1);
	}
	return (to[0] == '/' ? 0 : -1);
}
