// Who holds which byte of a file, and when the kernel lets go of one: the moment from which recovery is measured.
#include "file_locks.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <limits>
#include <thread>
#include <utility>
#include <vector>

namespace floors {
namespace {

constexpr long kPollNs = 10'000;  // a probe costs 0.6 us; what is measured lasts milliseconds
constexpr off_t kLast = std::numeric_limits<off_t>::max() - 1;

struct Range {
  off_t first;
  off_t last;
};

enum class Probe { kFree, kLocked, kFailed };

// Asks for a lock on behalf of a new open file description, so that locks of our own process are seen too.
Probe probe(int fd, Range range, Range* found) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = range.first;
  lock.l_len = range.last == kLast ? 0 : range.last - range.first + 1;
  if (fcntl(fd, F_OFD_GETLK, &lock) != 0) return Probe::kFailed;
  if (lock.l_type == F_UNLCK) return Probe::kFree;
  *found = {lock.l_start, lock.l_len == 0 ? kLast : lock.l_start + lock.l_len - 1};
  return Probe::kLocked;
}

std::int64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

napi_value range_value(napi_env env, Range range) {
  napi_value pair;
  napi_create_array_with_length(env, 2, &pair);
  const off_t ends[] = {range.first, range.last};
  for (std::uint32_t i = 0; i < 2; i++) {
    napi_value end;
    napi_create_int64(env, ends[i], &end);
    napi_set_element(env, pair, i, end);
  }
  return pair;
}

// One wait for one byte. Its thread ends with the release or, at the latest, with the process.
struct Watch {
  int fd;
  off_t offset;
  napi_threadsafe_function report;
  std::int64_t released;  // ns on CLOCK_MONOTONIC, -1: the probe failed

  void run() {
    prctl(PR_SET_TIMERSLACK, 1);
    const timespec pause{0, kPollNs};
    Range found;
    Probe answer;
    while ((answer = probe(fd, {offset, offset}, &found)) == Probe::kLocked) nanosleep(&pause, nullptr);
    released = answer == Probe::kFree ? monotonic_ns() : -1;
    close(fd);
    const napi_threadsafe_function last = report;  // once it is called, the other thread may delete this at any time
    napi_call_threadsafe_function(last, this, napi_tsfn_blocking);
    napi_release_threadsafe_function(last, napi_tsfn_release);
  }
};

void report_release(napi_env env, napi_value callback, void*, void* data) {
  Watch* watch = static_cast<Watch*>(data);
  if (env != nullptr) {
    napi_value undefined, ns;
    napi_get_undefined(env, &undefined);
    napi_create_bigint_int64(env, watch->released, &ns);
    napi_call_function(env, undefined, callback, 1, &ns, nullptr);
  }
  delete watch;
}

}  // namespace

// lockedRanges(path): [first, last] of every range that some open file description has locked.
napi_value locked_ranges(napi_env env, napi_callback_info info) {
  napi_value value[1];
  arguments(env, info, value);
  std::string path;
  if (!to_string(env, value[0], &path)) return fail(env, "lockedRanges needs a path");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno(env, path);
  // The kernel names any one lock in the way, not the first: ask again on either side of it.
  std::vector<Range> open_questions{{0, kLast}};
  std::vector<Range> locked;
  while (!open_questions.empty()) {
    const Range asked = open_questions.back();
    open_questions.pop_back();
    Range found;
    const Probe answer = probe(fd, asked, &found);
    if (answer == Probe::kFailed) {
      close(fd);
      return fail_errno(env, "F_OFD_GETLK");
    }
    if (answer == Probe::kFree) continue;
    locked.push_back(found);
    if (found.first > asked.first) open_questions.push_back({asked.first, found.first - 1});
    if (found.last < asked.last) open_questions.push_back({found.last + 1, asked.last});
  }
  close(fd);
  napi_value result;
  napi_create_array_with_length(env, locked.size(), &result);
  for (std::uint32_t i = 0; i < locked.size(); i++) napi_set_element(env, result, i, range_value(env, locked[i]));
  return result;
}

// watchRelease(path, offset, callback): callback(ns on CLOCK_MONOTONIC) once nobody has the byte locked; -1n on
// failure.
napi_value watch_release(napi_env env, napi_callback_info info) {
  napi_value value[3];
  arguments(env, info, value);
  std::string path;
  std::int64_t offset;
  if (!to_string(env, value[0], &path) || napi_get_value_int64(env, value[1], &offset) != napi_ok) {
    return fail(env, "watchRelease needs a path, an offset and a function");
  }
  napi_value name;
  napi_create_string_utf8(env, "floors.watchRelease", NAPI_AUTO_LENGTH, &name);
  napi_threadsafe_function report;
  if (napi_create_threadsafe_function(env, value[2], nullptr, name, 0, 1, nullptr, nullptr, nullptr, report_release, &report) != napi_ok) {
    return fail(env, "watchRelease needs a function");
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    napi_release_threadsafe_function(report, napi_tsfn_abort);
    return fail_errno(env, path);
  }
  std::thread(&Watch::run, new Watch{fd, offset, report, -1}).detach();
  return nullptr;
}

}  // namespace floors
