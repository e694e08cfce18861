#include "tool.h"
enum tool_status
tool_convert(struct mailbox *from, enum tool_form form,
	    const struct mailbox_place *to)
{
	(void)from; (void)form; (void)to;
	return (TOOL_FAILED);
}
