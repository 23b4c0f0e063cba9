// Which processors a thread may run on.
#pragma once

#include <sys/types.h>

namespace forelock::os {

// Of the processors that a thread of this process may run on, it leaves the first to others, if it has more than that one. 0: the calling
// thread. False: there is no such thread in this process, or it may not be moved.
bool leave_first_processor(pid_t thread);

}  // namespace forelock::os
