// Runs model threads one operation at a time. An operation is posted by the thread and executed by whoever explores
// (explorer.h): only there other threads come in between, so what lies between two posted operations is one step.
//
// Not every operation is posted. Accesses to a location that are ordered by others (by the gate, say) have no order of
// their own that could matter, as with plain fields: they are executed at once, and a race detector watches that they
// are ordered indeed. Which locations these are is learned while exploring; what was explored under an assumption that
// proves wrong is explored again. A write at which a thread may be killed is posted, but other threads need not be
// tried there: the thread goes on, or it will be killed and never goes on (it is doomed).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fiber.h"
#include "heap.h"
#include "memory.h"
#include "scheduled_atomic.h"

namespace scheduled {

// Shows a value of a location in traces.
using Format = std::string (*)(std::uint64_t);

struct ThreadSpec {
  std::string name;
  std::function<std::uint64_t()> body;  // the result counts as part of the state when the thread has ended
  int process = -1;                     // threads of one process die together; -1: a process of its own
  bool may_crash = true;                // if the configuration has crashes at all
  int after_crashes = 0;                // starts when so many processes have died
  int heap = -1;                        // region of the model heap that it alone uses; -1: its number + 1
};

// What is explored. All that model code changes lies in scheduled atomics and plains, on stacks, or on the model heap.
struct Model {
  std::vector<ThreadSpec> threads;
  std::function<void()> prepare;      // sets the initial values; runs before each exploration
  std::function<void(int)> on_crash;  // what the machine does at the death of that thread's process, as its last act
  std::function<void()> at_end;       // checks of a state in which nothing can happen any more
  int crashes = 0;                    // at most
  bool sequential = false;            // sequential consistency instead of release/acquire
  int preemptions = -1;               // at most so many switches away from a thread that could go on; -1: any number
  int spurious = 0;                   // failures of compare_exchange_weak without reason, at most
  bool may_sleep = false;             // threads may sleep for ever at the end
  std::uint64_t max_states = 40'000'000;
};

class Scheduler {
 public:
  static constexpr std::uint8_t kSpurious = 0x80;

  enum class Status : std::uint8_t { kDormant, kPosted, kSleeping, kDoomed, kFinished, kCrashed };

  struct Thread {
    Status status;
    std::uint8_t timeouts;  // of sleeps, so far
    bool after_write;       // since its last write it has not been tried to kill it
    std::uint32_t place;
    Request request;
    Reply reply;
    std::uint64_t local;  // hash of its stack and of its part of the heap; of its result when it has ended
  };

  static Scheduler*& current() {
    static Scheduler* scheduler = nullptr;
    return scheduler;
  }

  explicit Scheduler(const Model& model) : model_(model), count_(static_cast<int>(model.threads.size())) {
    if (count_ > kMaxThreads) give_up("too many model threads: raise kMaxThreads");
    for (int t = 0; t < count_; t++) {
      const int process = model.threads[static_cast<std::size_t>(t)].process;
      process_[t] = process >= 0 ? process + 100 : t;
    }
    current() = this;
  }
  ~Scheduler() { current() = nullptr; }

  // ---- called from model code ----
  Reply perform(const Request& request);
  void fail(const std::string& message) {
    {
      OffModelHeap outside;
      if (violation_.empty()) violation_.assign(message.data(), message.size());
    }
    if (running_ >= 0) {
      threads_[running_].status = Status::kFinished;
      for (;;) fiber_[running_].pause();
    }
  }
  int running() const { return running_; }

  // ---- called from the explorer ----
  void begin();
  int threads() const { return count_; }
  const Thread& thread(int t) const { return threads_[t]; }
  const ThreadSpec& spec(int t) const { return model_.threads[static_cast<std::size_t>(t)]; }
  bool can_step(int t) const {
    if (threads_[t].status == Status::kPosted && threads_[t].request.kind != Kind::kIdle) return true;
    if (!waits_for_idleness(t)) return false;
    for (int u = 0; u < count_; u++) {
      const Thread& other = threads_[u];
      if (other.status == Status::kPosted && other.request.kind != Kind::kIdle) return false;
      if (u < t && waits_for_idleness(u)) return false;  // of several that wait so, the first goes on
      if (other.status == Status::kDoomed) return false;
    }
    return true;
  }
  bool can_crash(int t) const;  // t: the first thread of a process
  void choices(int t, std::vector<std::uint8_t>& out) const;
  void step(int t, std::uint8_t choice);
  void crash(int t);
  int heap_of(int t) const { return spec(t).heap >= 0 ? spec(t).heap : t + 1; }
  bool same_process(int a, int b) const { return process_[a] == process_[b]; }
  bool independent(int a, int b) const;
  bool crash_independent(int dying, int t) const;
  const std::string& violation() const { return violation_; }
  void finish();  // the checks of an end
  std::uint64_t hash();
  int crashes() const { return crashes_; }

  void save(std::vector<unsigned char>& to) const;
  void load(const unsigned char* from);

  // The thread that must be tried first and alone: its next operation is a write that only its own death makes visible.
  int alone() const {
    for (int t = 0; t < count_; t++) {
      const Thread& thread = threads_[t];
      if (thread.status == Status::kPosted && thread.request.kind <= Kind::kCompareExchangeWeak && !posts_each(places_[thread.place]) &&
          is_last_chance(t, thread.request)) {
        return t;
      }
    }
    return -1;
  }
  bool is_doomed(int t) const { return threads_[t].status == Status::kDoomed; }
  void doom(int t) { threads_[t].status = Status::kDoomed; }

  std::vector<std::string> contended() const {
    std::vector<std::string> names;
    for (const Place& place : places_) {
      if (place.contended) names.push_back(describe(place.address));
    }
    return names;
  }

  // Assumptions about who touches what turned out wrong since the last begin().
  bool assumptions_broken() const { return broken_; }
  void forget_assumptions_broken() { broken_ = false; }
  // Posts every operation, whatever is known of its location.
  void post_all(bool yes) { post_all_ = yes; }

  // ---- naming and tracing ----
  void name(const void* address, const std::string& text, Format format = nullptr) {
    OffModelHeap outside;
    names_[address] = {std::string(text.data(), text.size()), format};
  }
  // A counter that no one decides by: no scheduling point, and no part of the state.
  void statistic(const void* address, std::size_t bytes) {
    OffModelHeap outside;
    statistics_.push_back({static_cast<const unsigned char*>(address), bytes});
  }
  // An increment of this statistic while nobody has died is a violation.
  void forbidden(const void* address, const std::string& text) {
    OffModelHeap outside;
    forbidden_[address].assign(text.data(), text.size());
  }
  std::function<void(const std::string&)> tracer;          // a line for each operation
  std::function<void(int, std::uint8_t, bool)> operation;  // thread, choice, dies: called for each
  void note(const std::string& text) {
    OffModelHeap outside;
    if (tracer) tracer("      " + (running_ >= 0 ? spec(running_).name : std::string("-")) + "  " + text);
  }

 private:
  struct Name {
    std::string text;
    Format format;
  };
  static constexpr int kUnwritten = -1;
  struct Place {
    void* address;
    std::uint8_t width;
    bool is_plain;
    bool is_statistic;
    bool crash_writes;  // by the machine, when a process dies
    bool contended;     // two accesses were found that nothing orders
    int index;          // in Memory; a location that is only ever read is not kept there
    int order;          // the plain location in whose name the order of accesses is watched
    std::uint64_t initial;
    std::uint32_t early_readers;  // mask of threads that read it before its first write
  };
  struct Saved {
    int crashes, preempting, spurious;
    std::uint32_t sizes[kMaxThreads];
  };

  static void entry(void* argument) {
    auto* self = static_cast<Scheduler*>(argument);
    const int t = self->running_;
    std::uint64_t result = 0;
    try {
      result = self->spec(t).body();
    } catch (const std::exception& error) {
      self->fail(std::string("exception: ") + error.what());
    }
    self->threads_[t].status = Status::kFinished;
    self->threads_[t].local = mix(0x77, result);
    self->fiber_[t].pause();
  }

  bool waits_for_idleness(int t) const {
    const Thread& thread = threads_[t];
    if (thread.status == Status::kSleeping) return thread.timeouts < crashes_;
    return thread.status == Status::kPosted && thread.request.kind == Kind::kIdle;
  }
  std::uint32_t place_of(const Request& request);
  static bool is_plain(Kind kind) { return kind == Kind::kPlainGet || kind == Kind::kPlainSet || kind == Kind::kPlainPeek; }
  static bool reads_only(Kind kind) { return kind == Kind::kLoad || kind == Kind::kWoken || kind == Kind::kIdle; }
  static bool acquires(std::memory_order o) {
    return o == std::memory_order_acquire || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst ||
           o == std::memory_order_consume;
  }
  static bool releases(std::memory_order o) {
    return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
  }
  static std::uint64_t mask(std::uint8_t width) { return width >= 8 ? ~0ull : (1ull << (8 * width)) - 1; }
  static std::uint64_t operate(const Request& r, std::uint64_t old) {
    switch (r.kind) {
      case Kind::kAdd:
        return (old + r.operand) & mask(r.width);
      case Kind::kSub:
        return (old - r.operand) & mask(r.width);
      case Kind::kOr:
        return old | r.operand;
      case Kind::kAnd:
        return old & r.operand;
      default:
        return r.operand;
    }
  }

  Reply direct(const Request& request);
  Reply access_plain(int t, const Request& request, const Place& place);
  Reply count_statistic(const Request& request, const Place& place);
  bool must_post(int t, const Request& request, const Place& place) const;
  // Killing the thread before this operation and after it are two, and it is the last moment before it.
  bool is_last_chance(int t, const Request& r) const {
    return !reads_only(r.kind) && threads_[t].after_write && crashes_ < model_.crashes && spec(t).may_crash;
  }
  bool posts_each(const Place& place) const { return place.contended || post_all_; }
  void watch_order(int t, Place& place, bool write);
  int written_cell(int t, std::uint32_t place);
  Reply execute(int t, const Request& request, std::uint32_t place, std::uint8_t choice);
  void resume(int t);
  void start(int t) {
    fiber_[t].start(&Scheduler::entry, this);
    resume(t);
  }
  void wake_dormant(int ended);
  void wake_sleepers(std::uint32_t place);
  void write_back();
  void undo();

  void trace(int t, const Request& request, std::uint8_t choice, const Reply& reply, std::uint64_t now);
  std::string describe(const void* address) const;
  std::string show(const void* address, std::uint64_t value) const;

  const Model& model_;
  const int count_;
  int process_[kMaxThreads];
  Memory memory_;
  Thread threads_[kMaxThreads];
  Fiber fiber_[kMaxThreads];
  int running_ = -1;
  int crashes_ = 0;
  int spurious_ = 0;
  bool dying_ = false;  // the crash hook runs: operations are executed at once
  bool broken_ = false;
  bool post_all_ = false;
  bool checking_ = false;  // the checks of an end run: writes to memory are undone afterwards
  std::string violation_;

  std::unordered_map<const void*, std::uint32_t> index_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> cells_, plains_;  // places by their index in Memory
  std::vector<std::uint8_t> ignored_;          // by plain
  struct Undo {
    void* address;
    std::uint8_t width;
    std::uint64_t value;
  };
  std::vector<Undo> undo_;
  std::map<const void*, Name> names_;
  std::map<const void*, std::string> forbidden_;
  struct Range {
    const unsigned char* from;
    std::size_t bytes;
  };
  std::vector<Range> statistics_;
};

// ---- model code calls
// -------------------------------------------------------------------------------------------------

Reply perform(const Request& request) {
  Scheduler* scheduler = Scheduler::current();
  if (scheduler == nullptr) give_up("an atomic is used outside of a configuration");
  return scheduler->perform(request);
}

// A check inside a model thread or at the end.
inline void check(bool holds, const std::string& message) {
  if (!holds) Scheduler::current()->fail(message);
}
inline int deaths() { return Scheduler::current()->crashes(); }
inline int self() { return Scheduler::current()->running(); }

// Linux futex: sleeps if the word still has this value, until a wake. The kernel orders both fully.
// After a death, one that sleeps when nothing else can happen is woken by its timeout, once for each death: true. While
// nobody dies sleeps are endless, so that no timeout hides a lost wake.
template <typename T>
bool futex_wait(atomic<T>& word, T expected) {
  const Reply reply = perform(
      {Kind::kFutexWait, sizeof(T), std::memory_order_seq_cst, std::memory_order_seq_cst, &word, 0, static_cast<std::uint64_t>(expected)});
  return reply.timed_out;
}
template <typename T>
void futex_wake(atomic<T>& word) {
  perform({Kind::kFutexWake, sizeof(T), std::memory_order_seq_cst, std::memory_order_seq_cst, &word, 0, 0});
}

// Goes on when no other thread can: what a probe does that comes back after a while.
inline void when_idle() {
  static std::uint64_t nothing = 0;
  perform({Kind::kIdle, 8, std::memory_order_relaxed, std::memory_order_relaxed, &nothing, 0, 0});
}

inline Reply Scheduler::perform(const Request& request) {
  if (running_ < 0) return direct(request);
  OffModelHeap outside;
  const int t = running_;
  const std::uint32_t place = place_of(request);
  if (places_[place].is_statistic) return count_statistic(request, places_[place]);
  if (places_[place].is_plain) return access_plain(t, request, places_[place]);
  if (dying_ || !must_post(t, request, places_[place])) return execute(t, request, place, 0);
  threads_[t].status = Status::kPosted;
  threads_[t].request = request;
  threads_[t].place = place;
  fiber_[t].pause();
  return threads_[t].reply;
}

inline std::uint32_t Scheduler::place_of(const Request& request) {
  const auto found = index_.find(request.address);
  if (found != index_.end()) {
    const Place& place = places_[found->second];
    if (place.width != request.width || place.is_plain != is_plain(request.kind)) give_up("one location, two types");
    return found->second;
  }
  Place place{request.address, request.width, is_plain(request.kind), false, false, false, kUnwritten, kUnwritten, 0, 0};
  std::memcpy(&place.initial, request.address, request.width);
  const auto* at = static_cast<const unsigned char*>(request.address);
  for (const Range& range : statistics_) place.is_statistic |= at >= range.from && at < range.from + range.bytes;
  if (place.is_plain || place.is_statistic) {
    place.index = memory_.new_plain(place.initial);
    ignored_.push_back(place.is_statistic);
    plains_.push_back(static_cast<std::uint32_t>(places_.size()));
  }
  const auto index = static_cast<std::uint32_t>(places_.size());
  index_[request.address] = index;
  places_.push_back(place);
  return index;
}

// The first write makes it a location with a history. Whoever read it before read what this history begins with.
inline int Scheduler::written_cell(int t, std::uint32_t index) {
  Place& place = places_[index];
  if (place.index == kUnwritten) {
    place.index = memory_.new_cell(place.initial, !posts_each(place));
    cells_.push_back(index);
    place.order = memory_.new_plain(0);
    plains_.push_back(index);
    ignored_.push_back(false);
    if ((place.early_readers & ~(1u << t)) != 0) broken_ = true;  // their order with this write was not watched
  }
  return place.index;
}

inline Reply Scheduler::direct(const Request& r) {
  std::uint64_t old = 0;
  std::memcpy(&old, r.address, r.width);
  bool ok = true;
  std::uint64_t now = old;
  switch (r.kind) {
    case Kind::kLoad:
    case Kind::kPlainGet:
    case Kind::kPlainPeek:
      return {old, true, false};
    case Kind::kFutexWait:
      give_up("nobody can wake the scheduler itself");
    case Kind::kFutexWake:
      return {0, true, false};
    case Kind::kCompareExchange:
    case Kind::kCompareExchangeWeak:
      ok = old == r.expected;
      if (ok) now = r.operand;
      break;
    default:
      now = operate(r, old);
  }
  if (checking_ && now != old) {
    OffModelHeap outside;
    undo_.push_back({r.address, r.width, old});
  }
  std::memcpy(r.address, &now, r.width);
  return {old, ok, false};
}

inline Reply Scheduler::access_plain(int t, const Request& r, const Place& place) {
  std::uint64_t value = memory_.plain_value(place.index);
  if (r.kind == Kind::kPlainPeek) {
    return {value, true, false};
  }
  const bool ordered = r.kind == Kind::kPlainGet ? memory_.get(t, place.index, value) : memory_.set(t, place.index, r.operand);
  if (tracer) {
    const bool get = r.kind == Kind::kPlainGet;
    if (!get || !ordered) {
      note(std::string(get ? "get " : "set ") + describe(r.address) + (get ? " = " : " := ") + show(r.address, get ? value : r.operand));
    }
  }
  if (!ordered) fail("data race on " + describe(r.address));
  return {value, true, false};
}

inline Reply Scheduler::count_statistic(const Request& r, const Place& place) {
  const std::uint64_t old = memory_.plain_value(place.index);
  if (!reads_only(r.kind)) memory_.poke(place.index, operate(r, old));
  const auto rule = forbidden_.find(r.address);
  if (rule != forbidden_.end() && crashes_ == 0 && !reads_only(r.kind)) fail(rule->second);
  return {old, true, false};
}

inline bool Scheduler::must_post(int t, const Request& r, const Place& place) const {
  if (posts_each(place)) return true;
  if (r.kind == Kind::kFutexWait || r.kind == Kind::kFutexWake || r.kind == Kind::kIdle) return true;
  if (r.kind == Kind::kCompareExchangeWeak && spurious_ < model_.spurious) return true;
  return is_last_chance(t, r);
}

inline void Scheduler::watch_order(int t, Place& place, bool write) {
  if (place.index == kUnwritten) {
    place.early_readers |= 1u << t;
    return;
  }
  if (posts_each(place)) return;
  std::uint64_t ignored;
  const bool ordered = write ? memory_.set(t, place.order, 0) : memory_.get(t, place.order, ignored);
  if (ordered && !(write && dying_)) return;
  place.contended = true;
  broken_ = true;
  if (dying_) place.crash_writes = true;
}

// ---- one operation
// ----------------------------------------------------------------------------------------------------

inline Reply Scheduler::execute(int t, const Request& r, std::uint32_t place, std::uint8_t choice) {
  if (operation && !dying_) operation(t, choice, false);
  Thread& thread = threads_[t];
  const bool spurious = (choice & kSpurious) != 0;
  const int age = choice & ~kSpurious;
  const bool sc = r.order == std::memory_order_seq_cst;
  Reply reply{0, true, false};
  bool wrote = false;
  const int cell = r.kind == Kind::kLoad || r.kind == Kind::kIdle ? places_[place].index : written_cell(t, place);
  switch (r.kind) {
    case Kind::kIdle:
      break;
    case Kind::kLoad:
    case Kind::kWoken:
      if (cell == kUnwritten) {
        reply.value = places_[place].initial;
        break;
      }
      reply.value = memory_.read(t, cell, age, acquires(r.order));
      break;
    case Kind::kStore:
      memory_.write(t, cell, age, r.operand, releases(r.order), sc);
      wrote = true;
      break;
    case Kind::kCompareExchange:
    case Kind::kCompareExchangeWeak:
      reply.value = memory_.value(cell, age);
      reply.ok = !spurious && reply.value == r.expected;
      if (reply.ok) {
        memory_.update(t, cell, age, r.operand, acquires(r.order), releases(r.order), sc);
        wrote = true;
      } else {
        memory_.read(t, cell, age, acquires(r.failure));
      }
      if (spurious) spurious_++;
      break;
    case Kind::kFutexWait:
      reply.value = memory_.read(t, cell, 0, true);
      reply.ok = reply.value == r.expected;
      if (reply.ok) thread.status = Status::kSleeping;
      break;
    case Kind::kFutexWake:
      reply.value = memory_.value(cell, 0);
      wake_sleepers(place);
      break;
    default:  // the unconditional read-modify-writes
      reply.value = memory_.value(cell, age);
      memory_.update(t, cell, age, operate(r, reply.value), acquires(r.order), releases(r.order), sc);
      wrote = true;
  }
  watch_order(t, places_[place], wrote || r.kind == Kind::kFutexWait || r.kind == Kind::kFutexWake);
  if (wrote) thread.after_write = true;
  if (tracer && (cell != kUnwritten || names_.count(r.address) != 0))
    trace(t, r, choice, reply, wrote ? memory_.value(cell, age) : reply.value);
  return reply;
}

inline void Scheduler::choices(int t, std::vector<std::uint8_t>& out) const {
  out.clear();
  const Thread& thread = threads_[t];
  const Request& r = thread.request;
  const int cell = places_[thread.place].index;
  if (thread.status == Status::kSleeping) {
    out.push_back(0);
    return;
  }
  if (cell == kUnwritten || r.kind == Kind::kFutexWait || r.kind == Kind::kFutexWake || r.kind == Kind::kWoken) {
    out.push_back(0);
    if (cell == kUnwritten && r.kind == Kind::kCompareExchangeWeak && spurious_ < model_.spurious &&
        places_[thread.place].initial == r.expected) {
      out.push_back(kSpurious);
    }
    return;
  }
  const bool compares = r.kind == Kind::kCompareExchange || r.kind == Kind::kCompareExchangeWeak;
  const bool sc = r.order == std::memory_order_seq_cst;
  const int readable = memory_.readable(t, cell, sc);
  for (int age = 0; age < readable; age++) {
    bool possible = true;
    if (compares) {
      possible = memory_.value(cell, age) != r.expected || memory_.has_room(cell, age);
    } else if (r.kind != Kind::kLoad) {
      possible = memory_.has_room(cell, age);
    }
    if (possible) out.push_back(static_cast<std::uint8_t>(age));
  }
  if (r.kind == Kind::kCompareExchangeWeak && spurious_ < model_.spurious && memory_.value(cell, 0) == r.expected) {
    out.push_back(kSpurious);
  }
}

inline void Scheduler::resume(int t) {
  const int before = running_;
  running_ = t;
  Heap::instance().use(heap_of(t));
  Heap::instance().activate(true);
  fiber_[t].resume();
  Heap::instance().activate(false);
  Heap::instance().use(0);
  running_ = before;
  if (threads_[t].status == Status::kFinished) {
    memory_.retire(t);
  } else {
    threads_[t].local = mix(fiber_[t].hash(), Heap::instance().hash(heap_of(t)));
  }
}

inline void Scheduler::step(int t, std::uint8_t choice) {
  Thread& thread = threads_[t];
  const bool timed_out = thread.status == Status::kSleeping;
  if (timed_out) {
    thread.status = Status::kPosted;
    thread.request.kind = Kind::kWoken;
    thread.timeouts++;
    if (tracer) tracer("      " + spec(t).name + "  sleep times out");
  }
  thread.after_write = false;  // to be killed before this operation was tried already
  running_ = t;
  thread.reply = execute(t, thread.request, thread.place, choice);
  thread.reply.timed_out = timed_out;
  running_ = -1;
  if (thread.status == Status::kSleeping) return;
  resume(t);
}

inline void Scheduler::wake_sleepers(std::uint32_t place) {
  for (int u = 0; u < count_; u++) {
    if (threads_[u].status != Status::kSleeping || threads_[u].place != place) continue;
    threads_[u].status = Status::kPosted;
    threads_[u].request.kind = Kind::kWoken;
  }
}

// ---- death
// ------------------------------------------------------------------------------------------------------------

inline bool Scheduler::can_crash(int t) const {
  if (crashes_ >= model_.crashes || !spec(t).may_crash) return false;
  bool lives = false;
  for (int u = 0; u < count_; u++) {
    if (!same_process(t, u)) continue;
    if (u < t) return false;
    const Status status = threads_[u].status;
    if (status == Status::kDoomed) lives = true;
    if (status == Status::kPosted || status == Status::kSleeping) {
      lives = true;
      // After loads the death is the same as before them.
      if (!threads_[u].after_write) return false;
    }
  }
  return lives;
}

inline void Scheduler::crash(int t) {
  if (operation) operation(t, 0, true);
  if (tracer) tracer("      " + spec(t).name + "  DIES");
  crashes_++;
  for (int u = 0; u < count_; u++) {
    if (same_process(t, u) && threads_[u].status != Status::kFinished) threads_[u].status = Status::kCrashed;
  }
  if (model_.on_crash) {
    running_ = t;
    dying_ = true;
    Heap::instance().activate(true);
    model_.on_crash(t);
    Heap::instance().activate(false);
    dying_ = false;
    running_ = -1;
  }
  wake_dormant(t);
  for (int u = 0; u < count_; u++) {
    if (same_process(t, u)) memory_.retire(u);
  }
}

inline void Scheduler::wake_dormant(int ended) {
  for (int u = 0; u < count_; u++) {
    if (threads_[u].status != Status::kDormant || crashes_ < spec(u).after_crashes) continue;
    memory_.activate_after(u, ended);
    threads_[u].after_write = true;
    start(u);
  }
}

// ---- the explorer's questions
// -----------------------------------------------------------------------------------------

inline bool Scheduler::independent(int a, int b) const {
  const Thread& x = threads_[a];
  const Thread& y = threads_[b];
  if (model_.spurious > 0 && x.request.kind == Kind::kCompareExchangeWeak && y.request.kind == x.request.kind) return false;
  if (x.place != y.place) return true;
  return x.request.kind == Kind::kLoad && y.request.kind == Kind::kLoad;
}

inline bool Scheduler::crash_independent(int dying, int t) const {
  if (same_process(dying, t)) return false;
  return threads_[t].status != Status::kPosted || !places_[threads_[t].place].crash_writes;
}

inline std::uint64_t Scheduler::hash() {
  std::uint64_t h = memory_.hash(ignored_);
  h = mix(h, static_cast<std::uint64_t>(crashes_) * 64 + static_cast<std::uint64_t>(spurious_));
  const bool may_crash = crashes_ < model_.crashes;
  for (int t = 0; t < count_; t++) {
    const Thread& thread = threads_[t];
    h = mix(h, (static_cast<std::uint64_t>(thread.timeouts) * 8 + static_cast<std::uint64_t>(thread.status)) * 4 +
                   (may_crash && thread.after_write ? 1 : 0) +
                   (thread.status == Status::kPosted && thread.request.kind == Kind::kWoken ? 2 : 0));
    if (thread.status != Status::kCrashed) h = mix(h, thread.local);
  }
  return h;
}

inline void Scheduler::begin() {
  Heap::instance().clear();
  violation_.clear();
  broken_ = false;
  crashes_ = spurious_ = 0;
  running_ = -1;
  std::memset(threads_, 0, sizeof threads_);
  names_.clear();
  statistics_.clear();
  forbidden_.clear();
  Heap::instance().activate(true);
  if (model_.prepare) model_.prepare();
  Heap::instance().activate(false);
  // Set-up may have changed the initial values of known locations.
  memory_.forget_locations();
  memory_.reset(count_, model_.sequential);
  for (Place& place : places_) {
    place.initial = 0;
    std::memcpy(&place.initial, place.address, place.width);
  }
  for (const std::uint32_t place : cells_) memory_.new_cell(places_[place].initial, !posts_each(places_[place]));
  for (const std::uint32_t place : plains_) {
    const bool companion = !places_[place].is_plain && !places_[place].is_statistic;
    memory_.new_plain(companion ? 0 : places_[place].initial);
  }
  for (int t = 0; t < count_; t++) {
    threads_[t].status = Status::kDormant;
    threads_[t].local = static_cast<std::uint64_t>(t) + 1;
    if (spec(t).after_crashes == 0) memory_.activate(t);
  }
  for (int t = 0; t < count_; t++) {
    threads_[t].after_write = true;
    if (spec(t).after_crashes == 0) start(t);
  }
}

inline void Scheduler::save(std::vector<unsigned char>& to) const {
  to.clear();
  memory_.save(to);
  const std::size_t at = to.size();
  Saved saved{crashes_, 0, spurious_, {}};
  std::size_t bytes = sizeof saved + sizeof(Thread) * static_cast<std::size_t>(count_);
  for (int t = 0; t < count_; t++) {
    const bool runs = threads_[t].status == Status::kPosted || threads_[t].status == Status::kSleeping;
    saved.sizes[t] = runs ? static_cast<std::uint32_t>(fiber_[t].used()) : 0;
    bytes += saved.sizes[t];
  }
  to.resize(at + bytes + Heap::instance().size());
  unsigned char* out = to.data() + at;
  std::memcpy(out, &saved, sizeof saved);
  out += sizeof saved;
  std::memcpy(out, threads_, sizeof(Thread) * static_cast<std::size_t>(count_));
  out += sizeof(Thread) * static_cast<std::size_t>(count_);
  for (int t = 0; t < count_; t++) {
    if (saved.sizes[t] == 0) continue;
    fiber_[t].save(out);
    out += saved.sizes[t];
  }
  Heap::instance().save(out);
}

inline void Scheduler::load(const unsigned char* from) {
  from = memory_.load(from);
  Saved saved;
  std::memcpy(&saved, from, sizeof saved);
  from += sizeof saved;
  std::memcpy(threads_, from, sizeof(Thread) * static_cast<std::size_t>(count_));
  from += sizeof(Thread) * static_cast<std::size_t>(count_);
  crashes_ = saved.crashes;
  spurious_ = saved.spurious;
  for (int t = 0; t < count_; t++) {
    if (saved.sizes[t] == 0) continue;
    fiber_[t].load(from, saved.sizes[t]);
    from += saved.sizes[t];
  }
  Heap::instance().load(from);
  running_ = -1;
}

inline void Scheduler::finish() {
  for (int t = 0; t < count_; t++) {
    if (threads_[t].status == Status::kSleeping && !model_.may_sleep) {
      violation_ = spec(t).name + " sleeps for ever on " + describe(threads_[t].request.address);
      return;
    }
  }
  if (!model_.at_end) return;
  write_back();
  checking_ = true;
  Heap::instance().activate(true);
  try {
    model_.at_end();
  } catch (const std::exception& error) {
    fail(std::string("exception in the checks at the end: ") + error.what());
  }
  Heap::instance().activate(false);
  checking_ = false;
  undo();
}

inline void Scheduler::write_back() {
  for (const Place& place : places_) {
    if (place.index == kUnwritten) continue;
    std::uint64_t old = 0;
    std::memcpy(&old, place.address, place.width);
    const std::uint64_t now = place.is_plain || place.is_statistic ? memory_.plain_value(place.index) : memory_.value(place.index, 0);
    if (now == old) continue;
    undo_.push_back({place.address, place.width, old});
    std::memcpy(place.address, &now, place.width);
  }
}

inline void Scheduler::undo() {
  while (!undo_.empty()) {
    std::memcpy(undo_.back().address, &undo_.back().value, undo_.back().width);
    undo_.pop_back();
  }
}

// ---- traces
// -----------------------------------------------------------------------------------------------------------

inline std::string Scheduler::describe(const void* address) const {
  const auto found = names_.find(address);
  if (found != names_.end()) return found->second.text;
  char text[32];
  std::snprintf(text, sizeof text, "%p", address);
  return text;
}

inline std::string Scheduler::show(const void* address, std::uint64_t value) const {
  const auto found = names_.find(address);
  if (found != names_.end() && found->second.format != nullptr) return found->second.format(value);
  char text[32];
  std::snprintf(text, sizeof text, value < 4096 ? "%llu" : "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

inline void Scheduler::trace(int t, const Request& r, std::uint8_t choice, const Reply& reply, std::uint64_t now) {
  static const char* const kinds[] = {
      "load",     "store", "exchange", "add", "sub",        "or",         "and",   "cas",
      "cas-weak", "",      "",         "",    "futex-wait", "futex-wake", "woken", "waits until nothing else happens"};
  static const char* const orders[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
  const int age = choice & ~kSpurious;
  std::string line = spec(t).name + "  " + kinds[static_cast<int>(r.kind)] + " " + describe(r.address) + " ";
  switch (r.kind) {
    case Kind::kLoad:
      line += "= " + show(r.address, reply.value);
      break;
    case Kind::kStore:
      line += ":= " + show(r.address, r.operand);
      break;
    case Kind::kCompareExchange:
    case Kind::kCompareExchangeWeak:
      if (reply.ok) {
        line += show(r.address, reply.value) + " -> " + show(r.address, r.operand);
      } else {
        line += "fails: " + show(r.address, reply.value) + (choice & kSpurious ? " (no reason)" : "");
      }
      break;
    case Kind::kFutexWait:
      line += reply.ok ? "sleeps" : "does not sleep: " + show(r.address, reply.value);
      break;
    case Kind::kFutexWake:
    case Kind::kWoken:
      break;
    case Kind::kIdle:
      line = spec(t).name + "  " + kinds[static_cast<int>(r.kind)];
      break;
    default:
      line += show(r.address, reply.value) + " -> " + show(r.address, now);
  }
  if (age > 0) {
    line += r.kind == Kind::kLoad || !reply.ok ? " (old: " : " (placed before ";
    line += std::to_string(age) + " newer)";
  }
  line += std::string("  ") + orders[static_cast<int>(reply.ok ? r.order : r.failure)];
  tracer("      " + line);
}

}  // namespace scheduled
