#include "linux/perf_counter.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "linux/counters.h"

namespace forelock::os {

namespace {

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/task", pid);
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path), closedir);
  if (folder == nullptr) return threads;
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') threads.push_back(static_cast<pid_t>(std::atoi(entry->d_name)));
  }
  return threads;
}

int open_event(pid_t thread, PerfCounter::Event event, bool inherit, bool user_only) {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = event.type;
  wanted.config = event.config;
  wanted.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  wanted.inherit = inherit;
  wanted.inherit_thread = inherit;
  wanted.exclude_kernel = user_only;
  wanted.exclude_hv = user_only;
  return static_cast<int>(syscall(SYS_perf_event_open, &wanted, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

bool PerfCounter::open_for(pid_t thread, Event event, bool inherit) {
  int file = open_event(thread, event, inherit, user_only_);
  if (file < 0 && !user_only_ && files_.empty() && (errno == EACCES || errno == EPERM)) {
    user_only_ = true;
    file = open_event(thread, event, inherit, true);
  }
  if (file >= 0) files_.emplace_back(file);
  return file >= 0;
}

PerfCounter PerfCounter::of_this_thread(Event event) {
  PerfCounter counter;
  counter.open_for(0, event, false);
  return counter;
}

PerfCounter PerfCounter::of_process(pid_t pid, Event event) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; i++) {
    PerfCounter counter;
    const std::vector<pid_t> threads = threads_of(pid);
    bool all = !threads.empty();
    for (const pid_t thread : threads) all = all && counter.open_for(thread, event, true);
    // A thread that came meanwhile may have been counted by the one that started it, or not at all; it cannot be told.
    if (all && threads_of(pid) == threads) return counter;
    if (counter.files_.empty()) break;
  }
  return {};
}

double PerfCounter::read() const {
  double sum = 0;
  for (const Descriptor& file : files_) {
    struct {
      std::uint64_t value, enabled, running;
    } got{};
    if (::read(file.number(), &got, sizeof got) != static_cast<ssize_t>(sizeof got)) return kAbsent;
    if (got.running == 0 && got.enabled != 0) return kAbsent;
    const double scale = got.running == 0 ? 1 : static_cast<double>(got.enabled) / static_cast<double>(got.running);
    sum += static_cast<double>(got.value) * scale;
  }
  return files_.empty() ? kAbsent : sum;
}

}  // namespace forelock::os
