// Processes on a few locks, killed and stopped at random. First a while in which nobody dies: then nothing may be
// repaired, rescanned or found by probing, so that a lost wake cannot hide. Then SIGKILL and SIGSTOP at random moments.
//
//   storm [SECONDS [SEED]]    (10 seconds, seed 1)
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "shm/clock.h"
#include "shm/futex.h"
#include "test/check.h"
#include "test/crash/history.h"
#include "test/crash/mortal_host.h"
#include "test/world.h"

using namespace forelock;
using namespace forelock::test;

namespace {

using Id = core::ParticipantId;

constexpr Id kChildren = 8;
constexpr Id kParent = kChildren + 1;
constexpr std::uint32_t kHot = 3;       // names everybody wants
constexpr std::uint32_t kStream = 300;  // names that come and go: more than there are elements
constexpr std::uint32_t kLoose = 1;     // a name on which grants are stolen and end by ttl: no order to check
constexpr core::Nanos kPatience = 30'000 * core::kNanosPerMilli;

enum Count { kGrants, kWaits, kAborts, kTimeouts, kRefusals, kStale, kRevoked, kFull, kKills, kStops, kStuck, kViolations, kCounts };
const char* const kCountNames[] = {"grants",  "waits", "aborts", "timeouts", "refused tries", "stale handles",
                                   "revoked", "full",  "kills",  "stops",    "stuck",         "violations"};

struct Shared {
  std::atomic<std::uint64_t> counts[kCounts];
  std::atomic<bool> dying;  // the second phase
  std::atomic<bool> over;
  std::atomic<std::uint32_t> event[kChildren + 1];  // the one each is in, plus one
  // Who is inside: written under the lock, cleared by the parent for the dead before it says that they are.
  std::atomic<std::uint32_t> writer[kHot + kStream];
  std::atomic<std::uint32_t> readers[kHot + kStream];  // a bit each
  History history;
};
Shared* shared;

MortalHost host;
core::Arena* arena;

void count(Count what) { shared->counts[what]++; }

void violation(const char* what, Id who, std::uint32_t name) {
  count(kViolations);
  std::printf("VIOLATION: %s (participant %u, name %u)\n", what, who, name);
  std::fflush(stdout);
}

std::u16string name_of(std::uint32_t name) {
  std::u16string text = name < kHot ? u"hot" : name < kHot + kStream ? u"stream" : u"loose";
  text += static_cast<char16_t>(u'A' + name);
  // Some are long enough to need text blocks.
  if (name % 5 == 0) text += std::u16string(50, u'.');
  return text;
}

class Child {
 public:
  Child(Id id, std::uint32_t incarnation, std::uint64_t seed)
      : id_(id),
        member_(*arena, id, incarnation),
        waker_(*arena, id, core::Thread::kWaker),
        random_(seed),
        lot_(static_cast<std::uint32_t>(seed >> 32)) {
    host.may_die(&lot_, 200);
  }

  [[noreturn]] void run() {
    try {
      while (!shared->over) once();
      // What nobody else could give back: leave like somebody who exits.
      _exit(0);
    } catch (const std::exception& error) {
      std::printf("VIOLATION: participant %u: %s\n", id_, error.what());
      std::fflush(stdout);
      count(kViolations);
      _exit(1);
    }
  }

 private:
  struct Plan {
    std::uint32_t name;
    bool loose, is_try, will_abort;
    core::Request request;
  };

  std::uint32_t dice(std::uint32_t sides) { return static_cast<std::uint32_t>(random_() % sides); }

  Plan plan() {
    Plan plan{};
    const std::uint32_t which = dice(10);
    plan.name = which < 6 ? dice(kHot) : which < 9 ? kHot + dice(kStream) : kHot + kStream;
    plan.loose = plan.name == kHot + kStream;
    plan.request.tier = dice(core::kTiers);
    plan.request.shared = dice(4) == 0;
    plan.is_try = dice(5) == 0;
    if (plan.is_try) return plan;
    plan.will_abort = dice(8) == 0;
    if (dice(8) == 0) plan.request.deadline = shm::monotonic_now() + (1 + dice(3'000)) * 1'000;
    if (plan.loose) {
      plan.request.steal = dice(4) == 0;
      plan.request.ttl = dice(2) == 0 ? 1 + dice(3) : 0;
      if (plan.request.steal) plan.request.shared = false;
    }
    return plan;
  }

  void once() {
    Plan plan = this->plan();
    const std::u16string name = name_of(plan.name);
    if (member_.lookup(core::Kind::kLock, name.data(), name.size(), plan.request.handle) != core::Found::kOk) {
      count(kFull);
      return rest();
    }
    Event* event = plan.loose ? nullptr : shared->history.add();
    if (event != nullptr) {
      *event = {plan.name, static_cast<std::uint8_t>(plan.request.tier), plan.request.shared, !plan.is_try, shared->history.tick(), 0, 0, 0,
                0};
      shared->event[id_] = static_cast<std::uint32_t>(event - shared->history.events) + 1;
    }
    core::Granted granted;
    core::Answer answer = plan.is_try ? member_.try_lock(plan.request, granted) : member_.lock(plan.request, granted);
    if (event != nullptr) event->returned = shared->history.tick();
    hand_on_leftovers();
    if (answer == core::Answer::kWait) {
      count(kWaits);
      answer = wait(granted, plan) ? core::Answer::kOk : core::Answer::kLost;
    }
    if (answer == core::Answer::kOk) {
      hold(plan, granted, event);
    } else if (answer == core::Answer::kStale) {
      count(kStale);
    } else if (answer == core::Answer::kBusy) {
      count(kRefusals);
    }
    shared->event[id_] = 0;
    if (dice(4) == 0) rest();
  }

  // True when granted, with the grant in `granted`.
  bool wait(core::Granted& granted, const Plan& plan) {
    const core::WaiterId waiter = granted.waiter;
    const core::Nanos since = shm::monotonic_now();
    const std::uint32_t patience = dice(6);
    for (std::uint32_t looks = 0;; looks++) {
      if (rung() || shared->dying || member_.has_settled()) member_.collect();
      while (member_.has_settled()) {
        const core::Settled settled = member_.next_settled();
        if (settled.waiter != waiter) violation("a wait that had ended was settled", id_, plan.name);
        if (settled.outcome == core::Outcome::kGranted) {
          granted = settled.grant;
          return true;
        }
        count(kTimeouts);
        return false;
      }
      if (plan.will_abort && looks >= patience) {
        member_.abort(waiter);
        hand_on_leftovers();
        count(kAborts);
        return false;
      }
      sleep();
      member_.expire();
      hand_on_leftovers();
      if (shared->dying) core::sweep_all(waker_);
      if (shm::monotonic_now() - since > kPatience) {
        count(kStuck);
        violation("a waiter is never served", id_, plan.name);
        _exit(2);
      }
    }
  }

  bool rung() {
    const std::uint32_t ring = arena->participant(id_).ring.load() >> 1;
    const bool news = ring != ring_ || member_.lane().own_wake;
    ring_ = ring;
    return news;
  }
  void sleep() {
    auto& ring = arena->participant(id_).ring;
    std::uint32_t seen = ring.load();
    if ((seen >> 1) != ring_ || !ring.compare_exchange_strong(seen, seen | 1)) return;
    shm::futex_wait(&ring, seen | 1, 2 * core::kNanosPerMilli);
    ring.fetch_and(~1u);
  }
  void rest() {
    for (std::uint32_t i = dice(40); i > 0; i--) sched_yield();
  }
  void hand_on_leftovers() {
    for (const core::ElementIndex index : member_.take_leftovers()) {
      while (core::GateKeeper(waker_, index).visit(true) == core::Visit::kMore) {
      }
    }
  }

  void hold(const Plan& plan, const core::Granted& granted, Event* event) {
    count(kGrants);
    const core::Element& element = arena->element(plan.request.handle.index);
    if (event != nullptr) {
      event->token = element.base.load() + granted.sequence;
      event->granted = shared->history.tick();
    }
    if (!plan.loose) enter(plan);
    for (std::uint32_t i = dice(20); i > 0; i--) sched_yield();
    if (!plan.loose) exit(plan);
    if (event != nullptr) event->released = shared->history.tick();
    const core::Answer answer = plan.request.shared ? member_.release_shared(granted.waiter, granted.sequence)
                                                    : member_.release(plan.request.handle.index, granted.sequence);
    hand_on_leftovers();
    if (answer == core::Answer::kOk) return;
    if (plan.loose) {
      count(kRevoked);
    } else {
      violation("a grant was gone that nobody took", id_, plan.name);
    }
  }
  void enter(const Plan& plan) {
    if (plan.request.shared) {
      shared->readers[plan.name].fetch_or(1u << id_);
      if (shared->writer[plan.name] != 0) violation("a reader beside a writer", id_, plan.name);
    } else {
      if (shared->writer[plan.name].exchange(id_) != 0) violation("two writers", id_, plan.name);
      if (shared->readers[plan.name] != 0) violation("a writer beside readers", id_, plan.name);
    }
  }
  void exit(const Plan& plan) {
    if (plan.request.shared) {
      if (shared->writer[plan.name] != 0) violation("a writer came beside a reader", id_, plan.name);
      shared->readers[plan.name].fetch_and(~(1u << id_));
    } else {
      if (shared->writer[plan.name].exchange(0) != id_) violation("another writer came", id_, plan.name);
    }
  }

  const Id id_;
  core::Member member_;
  core::Lane waker_;
  std::mt19937_64 random_;
  std::uint32_t ring_ = 0;
  std::mt19937 lot_;
};

class Storm {
 public:
  Storm(double seconds, std::uint64_t seed) : seconds_(seconds), random_(seed) {
    std::uint32_t incarnation;
    CHECK(core::begin_join(*arena, kParent, incarnation) && core::finish_join(*arena, kParent, incarnation));
    member_ = std::make_unique<core::Member>(*arena, kParent, incarnation);
    waker_ = std::make_unique<core::Lane>(*arena, kParent, core::Thread::kWaker);
  }

  void run() {
    for (Id id = 1; id <= kChildren; id++) spawn(id);
    quiet_phase();
    deadly_phase();
    finish();
  }

 private:
  std::uint32_t dice(std::uint32_t sides) { return static_cast<std::uint32_t>(random_() % sides); }
  static std::uint64_t counter(core::Counter which) { return arena->header().counters[static_cast<int>(which)].load(); }

  bool spawn(Id id) {
    std::uint32_t incarnation;
    if (!core::begin_join(*arena, id, incarnation) || !core::finish_join(*arena, id, incarnation)) return false;
    const std::uint64_t seed = random_();
    std::fflush(stdout);
    pid_[id] = fork();
    if (pid_[id] == 0) Child(id, incarnation, seed).run();
    return true;
  }

  void quiet_phase() {
    const core::Nanos end = shm::monotonic_now() + static_cast<core::Nanos>(seconds_ * 0.3e9);
    while (shm::monotonic_now() < end && alive()) {
      usleep(1'000 + dice(4'000));
      stop_one();
    }
    expect_none(core::Counter::kTakeovers, "takeovers");
    expect_none(core::Counter::kRescans, "rescans");
    expect_none(core::Counter::kProbeHandoffs, "hand-offs found by probing");
    shared->dying = true;
  }
  void expect_none(core::Counter which, const char* what) {
    if (counter(which) == 0) return;
    count(kViolations);
    std::printf("VIOLATION: nobody died, and yet %llu %s\n", static_cast<unsigned long long>(counter(which)), what);
  }

  void deadly_phase() {
    const core::Nanos end = shm::monotonic_now() + static_cast<core::Nanos>(seconds_ * 0.7e9);
    while (shm::monotonic_now() < end && alive()) {
      usleep(500 + dice(3'000));
      if (dice(4) == 0) {
        stop_one();
      } else {
        kill_one();
      }
      revive();
    }
  }

  // While one is stopped, wherever it is, another element is had at once.
  void stop_one() {
    const Id id = 1 + dice(kChildren);
    if (pid_[id] == 0) return;
    kill(pid_[id], SIGSTOP);
    int status;
    const bool there = waitpid(pid_[id], &status, WUNTRACED) == pid_[id];
    if (there && WIFSTOPPED(status)) {
      count(kStops);
      if (!aside_is_free()) violation("a stopped participant delays another element", id, 0);
      usleep(500 + dice(3'000));
      kill(pid_[id], SIGCONT);
    } else {
      reap(id, status);
    }
  }

  // Given back and had again. Held in between, so that its place is nobody else's.
  bool aside_is_free() {
    if (aside_.sequence != 0 && member_->release(aside_handle_.index, aside_.sequence) != core::Answer::kOk) return false;
    const std::u16string name = u"aside";
    core::Answer answer = core::Answer::kStale;
    for (int i = 0; i < 100 && answer == core::Answer::kStale; i++) {
      if (member_->lookup(core::Kind::kLock, name.data(), name.size(), aside_handle_) != core::Found::kOk) return true;  // full
      core::Request request;
      request.handle = aside_handle_;
      answer = member_->lock(request, aside_);
    }
    if (answer != core::Answer::kOk) aside_ = {};
    return answer == core::Answer::kOk;
  }

  void kill_one() {
    const Id id = 1 + dice(kChildren);
    if (pid_[id] == 0) return;
    kill(pid_[id], SIGKILL);
    int status;
    waitpid(pid_[id], &status, 0);
    reap(id, status);
  }
  void reap(Id id, int status) {
    pid_[id] = 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      count(kKills);
      bury(id);
      return;
    }
    std::printf("VIOLATION: participant %u ended by itself\n", id);
    count(kViolations);
    failed_ = true;
  }
  // Before its death is known, so before anything of it passes on.
  void bury(Id id) {
    for (auto& writer : shared->writer) {
      std::uint32_t mine = id;
      writer.compare_exchange_strong(mine, 0);
    }
    for (auto& readers : shared->readers) readers.fetch_and(~(1u << id));
    if (const std::uint32_t at = shared->event[id].exchange(0); at != 0) {
      Event& event = shared->history.events[at - 1];
      if (event.granted != 0 && event.released == 0) event.released = shared->history.tick();
    }
    core::mark_dead(*arena, id, arena->participant(id).life.load());
  }
  void revive() {
    for (Id id = 1; id <= kChildren; id++) {
      if (pid_[id] != 0) continue;
      // Nobody may be waiting, and so nobody sweeping: then it is done here, now and then.
      if (dice(4) == 0) core::sweep_all(*waker_);
      if (core::LifeWord::of(arena->participant(id).life.load()).life == core::Life::kFree) {
        check_swept(id);
        spawn(id);
      }
    }
  }
  void check_swept(Id id) {
    for (std::uint32_t chunk = 0; chunk < arena->layout().chunk_count; chunk++) {
      if (core::ChunkOwner::of(arena->chunk_owner(chunk).load()).participant == id) violation("swept, and yet a chunk is left", id, 0);
    }
  }

  bool alive() {
    int status;
    for (Id id = 1; id <= kChildren; id++) {
      if (pid_[id] != 0 && waitpid(pid_[id], &status, WNOHANG) == pid_[id]) reap(id, status);
    }
    return !failed_;
  }

  // All leave; what is left is swept, and then there must be nothing.
  void finish() {
    shared->over = true;
    for (Id id = 1; id <= kChildren; id++) {
      if (pid_[id] == 0) continue;
      kill(pid_[id], SIGKILL);
      waitpid(pid_[id], nullptr, 0);
      bury(id);
    }
    if (aside_.sequence != 0) CHECK(member_->release(aside_handle_.index, aside_.sequence) == core::Answer::kOk);
    CHECK(core::sweep_all(*waker_));
    for (core::SlotId id = 1; id <= arena->layout().chunk_count * core::kChunkSlots; id++) {
      CHECK_EQUAL(static_cast<int>(core::SlotState::of(arena->slot(id).state.load()).status), static_cast<int>(core::Status::kFree));
    }
    for (core::ElementIndex index = 0; index < arena->capacity().elements; index++) {
      const core::Element& element = arena->element(index);
      CHECK_EQUAL(core::Fast::of(element.fast.load()).owner, 0u);
      CHECK_EQUAL(core::Gate::of(element.gate.load()).holder, 0u);
      CHECK_EQUAL(element.holders.load(), 0u);
      CHECK_EQUAL(element.maker.load(), 0u);
      CHECK(core::Meta::state(element.meta.load()) != core::Meta::kInit);
    }
  }

  const double seconds_;
  std::mt19937_64 random_;
  std::unique_ptr<core::Member> member_;
  std::unique_ptr<core::Lane> waker_;
  core::Handle aside_handle_{};
  core::Granted aside_;
  pid_t pid_[kChildren + 1] = {};
  bool failed_ = false;
};

core::Arena make_arena() {
  const core::Capacity capacity{.elements = 64, .slots = 32 * core::kChunkSlots, .participants = 15, .texts = 64};
  void* base = mmap(nullptr, core::Layout::of(capacity).size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  core::Origin origin{};
  origin.capacity = capacity;
  origin.seed[0] = 1;
  origin.seed[1] = 2;
  origin.now = shm::monotonic_now();
  origin.wall_ms = 1'000;
  origin.ageing = 30'000 * core::kNanosPerMilli;
  core::initialise(base, origin);
  return {base, host};
}

void print_counts() {
  for (int i = 0; i < kCounts; i++) std::printf("%s %llu  ", kCountNames[i], static_cast<unsigned long long>(shared->counts[i].load()));
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  shared = static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  core::Arena made = make_arena();
  arena = &made;
  host.arena = &made;
  host.immortal_until = &shared->dying;
  int failed = 0;
  try {
    Storm(seconds, seed).run();
  } catch (const std::exception& error) {
    std::printf("FAIL the arena after all have left: %s\n", error.what());
    failed++;
  }
  print_counts();
  const auto counter = [](core::Counter which) {
    return static_cast<unsigned long long>(arena->header().counters[static_cast<int>(which)].load());
  };
  std::printf("takeovers %llu  rescans %llu  sweeps %llu  recycled %llu\n", counter(core::Counter::kTakeovers),
              counter(core::Counter::kRescans), counter(core::Counter::kSweeps), counter(core::Counter::kRecycled));
  const HistoryFaults faults = check_history(shared->history, shared->history.tick());
  std::printf("history: %llu grants, %llu overlaps, %llu tokens out of order, %llu served out of turn\n",
              static_cast<unsigned long long>(faults.checked), static_cast<unsigned long long>(faults.overlaps),
              static_cast<unsigned long long>(faults.token_order), static_cast<unsigned long long>(faults.fifo));
  if (shared->counts[kViolations] != 0) failed++;
  if (faults.overlaps + faults.token_order + faults.fifo != 0) failed++;
  // Without any of these there was no storm.
  for (const Count what : {kGrants, kWaits, kAborts, kTimeouts, kKills, kStops}) {
    if (shared->counts[what] == 0) {
      std::printf("FAIL there were no %s\n", kCountNames[what]);
      failed++;
      break;
    }
  }
  std::printf("%d passed, %d failed\n", 4 - failed, failed);  // the arena, the violations, the history, the storm itself
  return failed == 0 ? 0 : 1;
}
