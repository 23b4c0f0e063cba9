#include "linux/thread_account.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "linux/meter.h"

namespace forelock::os {

namespace {

// Never destroyed: threads may outlive the static objects of a program that exits.
std::mutex& all_mutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}
std::map<std::uint32_t, std::weak_ptr<ThreadAccount>>& all() {
  static auto& all = *new std::map<std::uint32_t, std::weak_ptr<ThreadAccount>>;
  return all;
}
// Those of threads that run are kept whoever asks for them.
std::map<std::uint32_t, std::shared_ptr<ThreadAccount>>& running() {
  static auto& running = *new std::map<std::uint32_t, std::shared_ptr<ThreadAccount>>;
  return running;
}

// The clock of another thread, as the kernel numbers them (include/linux/posix-timers_types.h of Linux): ~tid << 3,
// CPUCLOCK_PERTHREAD_MASK, CPUCLOCK_SCHED. pthread_getcpuclockid() wants a pthread_t, which nobody has of a thread that Node started.
clockid_t clock_of(pid_t thread) { return static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | 4 | 2); }

}  // namespace

std::shared_ptr<ThreadAccount> ThreadAccount::of(std::uint32_t number) {
  const std::lock_guard guard(all_mutex());
  auto& known = all()[number];
  std::shared_ptr<ThreadAccount> account = known.lock();
  if (account == nullptr) {
    account.reset(new ThreadAccount(number));
    known = account;
  }
  return account;
}

bool ThreadAccount::begin(std::uint32_t number) {
  const std::shared_ptr<ThreadAccount> account = of(number);
  {
    const std::lock_guard guard(all_mutex());
    if (!running().emplace(number, account).second) return false;
  }
  const std::lock_guard guard(account->mutex_);
  account->thread_ = static_cast<pid_t>(syscall(SYS_gettid));
  return true;
}

void ThreadAccount::end(std::uint32_t number) {
  std::shared_ptr<ThreadAccount> account;
  {
    const std::lock_guard guard(all_mutex());
    const auto found = running().find(number);
    if (found == running().end()) return;
    account = found->second;
    running().erase(found);
  }
  Meter meter(Scope::kThread, 0, true, {});
  const std::lock_guard guard(account->mutex_);
  meter.read(account->last_);
  // Counted from here on alone.
  account->last_[kInstructions] = kAbsent;
  account->last_[kCycles] = kAbsent;
  account->ended_ = true;
}

ThreadAccount::~ThreadAccount() {
  const std::lock_guard guard(all_mutex());
  const auto found = all().find(number_);
  if (found != all().end() && found->second.expired()) all().erase(found);
}

void ThreadAccount::read(double* counters) {
  const std::lock_guard guard(mutex_);
  if (ended_) {
    const double wall = counters[kWall];
    std::copy(last_, last_ + kCounters, counters);
    counters[kWall] = wall;
    counters[kLife] = static_cast<double>(Life::kEnded);
    return;
  }
  timespec time;
  if (thread_ == 0 || clock_gettime(clock_of(thread_), &time) != 0) return;
  counters[kCpu] = static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace forelock::os
