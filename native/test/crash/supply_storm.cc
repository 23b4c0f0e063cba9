// Processes on a pool, a bucket below another, and plans, killed and stopped at random. What the living hold is never more than there
// is, no more tokens are admitted than the rate allows, nobody waits for ever, and afterwards nothing is missing.
//
//   supply_storm [SECONDS [SEED]]    (5 seconds, seed 1)
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
#include "test/crash/mortal_host.h"
#include "test/supply.h"

using namespace forelock;
using namespace forelock::test;

namespace {

using Id = core::ParticipantId;

constexpr Id kChildren = 6;
constexpr Id kParent = kChildren + 1;
constexpr std::uint64_t kCapacity = 8;  // of the first dimension, twice that of the second
constexpr double kRate = 300, kBurst = 10;
constexpr core::Nanos kPatience = 30'000 * core::kNanosPerMilli;

enum Count { kGrants, kTokens, kWaits, kAborts, kShrinks, kResizes, kPlans, kKills, kStops, kViolations, kCounts };
const char* const kCountNames[] = {"grants", "tokens", "waits", "aborts", "shrinks", "resizes", "plans", "kills", "stops", "violations"};

struct Shared {
  std::atomic<std::uint64_t> counts[kCounts];
  std::atomic<bool> over;
  // {version:32, second dimension:16, first:16} of what each believes to hold; of the dead cleared before they are said to be.
  std::atomic<std::uint64_t> held[kChildren + 1];
};
Shared* shared;

void count(Count what, std::uint64_t times = 1) { shared->counts[what] += times; }

void violation(const char* what, Id who) {
  count(kViolations);
  std::printf("VIOLATION: %s (participant %u)\n", what, who);
  std::fflush(stdout);
}

MortalHost host;
core::Arena* arena;
core::Handle pool, bucket, above, lock;

core::PoolPlan terms_of(std::uint64_t capacity) {
  core::PoolPlan plan = pool_plan({capacity, 2 * capacity});
  plan.tiers[3].floor[0] = 1;
  return plan;
}

// All at one moment: twice the same. False: somebody was faster.
bool sum_of_held(std::uint64_t (&sum)[2]) {
  std::uint64_t first[kChildren + 1];
  sum[0] = sum[1] = 0;
  for (Id id = 1; id <= kChildren; id++) {
    first[id] = shared->held[id];
    sum[0] += first[id] & 0xffff;
    sum[1] += (first[id] >> 16) & 0xffff;
  }
  for (Id id = 1; id <= kChildren; id++) {
    if (shared->held[id] != first[id]) return false;
  }
  return true;
}

class Child {
 public:
  Child(Id id, std::uint32_t incarnation, std::uint64_t seed)
      : id_(id),
        member_(*arena, id, incarnation),
        waker_(*arena, id, core::Thread::kWaker),
        random_(seed),
        lot_(static_cast<std::uint32_t>(seed)) {
    host.may_die(&lot_, 2000);
  }

  [[noreturn]] void run() {
    try {
      while (!shared->over) once();
      _exit(0);
    } catch (const std::exception& error) {
      std::printf("participant %u: %s\n", id_, error.what());
      violation("an exception", id_);
      _exit(1);
    }
  }

 private:
  std::uint32_t dice(std::uint32_t sides) { return static_cast<std::uint32_t>(random_() % sides); }

  void once() {
    switch (dice(16)) {
      case 0:
        member_.change_pool(pool.index, terms(dice(3) == 0 ? kCapacity : kCapacity / 2));
        count(kResizes);
        break;
      case 1:
        plan();
        break;
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        take();
        break;
      default:
        allocate();
        break;
    }
    hand_on_leftovers();
    if (dice(4) == 0) rest();
  }

  const core::PoolTerms& terms(std::uint64_t capacity) {
    terms_of(capacity).write(terms_);
    return terms_;
  }

  void plan() {
    core::Plan plan;
    plan.kind = static_cast<core::PlanKind>(1 + dice(3));
    plan.what = (plan.kind == core::PlanKind::kHold ? lock : plan.kind == core::PlanKind::kReserve ? bucket : pool).index + 1;
    plan.tier = 1 + dice(3);
    plan.source = id_;
    plan.amount = plan.kind == core::PlanKind::kShare ? 0.5 : 5;
    plan.from = shm::monotonic_now();
    plan.until = plan.from + dice(20) * core::kNanosPerMilli;
    core::PlanId written{};
    const core::Written answer = member_.write_plan(plan, written);
    if (answer != core::Written::kOk && answer != core::Written::kFull) violation("a plan was refused", id_);
    count(kPlans);
    if (dice(2) == 0) member_.withdraw_plan(written);
  }

  void take() {
    const double tokens = 1 + dice(3);
    core::Request request = test::tokens(bucket, tokens, dice(core::kTiers));
    core::Tokens out;
    core::Granted granted;
    if (dice(2) == 0) {
      if (member_.try_tokens(request, out) == core::Answer::kOk) count(kTokens, static_cast<std::uint64_t>(tokens));
      return;
    }
    core::Answer answer = member_.tokens(request, granted);
    if (answer == core::Answer::kWait) answer = wait(granted) ? core::Answer::kOk : core::Answer::kLost;
    if (answer == core::Answer::kOk) count(kTokens, static_cast<std::uint64_t>(tokens));
  }

  void allocate() {
    core::Request request = units(pool, {1 + dice(3), 1 + dice(5)}, dice(core::kTiers), dice(4));
    request.revocable = dice(2) == 0;
    core::Granted granted;
    core::Answer answer = dice(3) == 0 ? member_.try_units(request, granted) : member_.units(request, granted);
    if (answer == core::Answer::kWait) answer = wait(granted) ? core::Answer::kOk : core::Answer::kLost;
    if (answer != core::Answer::kOk) return;
    count(kGrants);
    believe(request.amounts);
    look_at_all();
    rest();
    if (dice(4) == 0) {
      core::Amounts less = request.amounts;
      less[0] = 0;
      less[1] = std::min<std::uint64_t>(less[1], 1);
      believe(less);
      if (member_.shrink(granted.waiter, granted.sequence, less) != core::Answer::kOk) violation("a grant could not be made smaller", id_);
      count(kShrinks);
    }
    believe({});
    if (member_.release_shared(granted.waiter, granted.sequence) != core::Answer::kOk) violation("a grant was gone that nobody took", id_);
  }

  void believe(const core::Amounts& amounts) { shared->held[id_] = (++version_ << 32) | (amounts[1] << 16) | amounts[0]; }
  void look_at_all() {
    std::uint64_t sum[2];
    if (sum_of_held(sum) && (sum[0] > kCapacity || sum[1] > 2 * kCapacity)) violation("more is held than there is", id_);
  }

  // True when granted, with the grant in `granted`.
  bool wait(core::Granted& granted) {
    count(kWaits);
    const core::WaiterId waiter = granted.waiter;
    const core::Nanos since = shm::monotonic_now();
    const std::uint32_t patience = dice(8) == 0 ? dice(6) : ~0u;
    for (std::uint32_t looks = 0;; looks++) {
      member_.collect();
      if (member_.has_settled()) {
        const core::Settled settled = member_.next_settled();
        if (settled.waiter != waiter) violation("a wait that had ended was settled", id_);
        granted = settled.grant;
        return settled.outcome == core::Outcome::kGranted;
      }
      if (looks >= patience) {
        member_.abort(waiter);
        count(kAborts);
        return false;
      }
      sleep();
      member_.expire();
      hand_on_leftovers();
      core::sweep_all(waker_);
      if (dice(8) == 0) core::GateKeeper(waker_, pool.index).visit(true);  // as at the ticks of a waker, where there are plans
      if (shm::monotonic_now() - since > kPatience) {
        violation("a waiter is never served", id_);
        _exit(2);
      }
    }
  }
  void sleep() {
    auto& ring = arena->participant(id_).ring;
    std::uint32_t seen = ring.load();
    const bool news = (seen >> 1) != ring_;
    ring_ = seen >> 1;
    if (news || !ring.compare_exchange_strong(seen, seen | 1)) return;
    shm::futex_wait(&ring, seen | 1, core::kNanosPerMilli);
    ring.fetch_and(~1u);
  }
  void rest() {
    for (std::uint32_t i = dice(30); i > 0; i--) sched_yield();
  }
  void hand_on_leftovers() {
    for (const core::ElementIndex index : member_.take_leftovers()) {
      while (core::GateKeeper(waker_, index).visit(true) == core::Visit::kMore) {
      }
    }
  }

  const Id id_;
  core::Member member_;
  core::Lane waker_;
  std::mt19937_64 random_;
  std::mt19937 lot_;
  core::PoolTerms terms_{};
  std::uint64_t version_ = 0;
  std::uint32_t ring_ = 0;
};

class Storm {
 public:
  Storm(double seconds, std::uint64_t seed) : seconds_(seconds), random_(seed) {
    std::uint32_t incarnation;
    CHECK(core::begin_join(*arena, kParent, incarnation) && core::finish_join(*arena, kParent, incarnation));
    member_ = std::make_unique<core::Member>(*arena, kParent, incarnation);
    waker_ = std::make_unique<core::Lane>(*arena, kParent, core::Thread::kWaker);
    above = make_bucket(*member_, u"above", pace_of(kRate, 1'000, kBurst));
    bucket = make_bucket(*member_, u"bucket", pace_of(kRate, 1'000, kBurst), &above);
    pool = make_pool(*member_, u"pool", terms_of(kCapacity));
    lock = look_up(*member_, core::Kind::kLock, u"lock");
  }

  void run() {
    const core::Nanos began = shm::monotonic_now();
    for (Id id = 1; id <= kChildren; id++) spawn(id);
    const core::Nanos end = began + static_cast<core::Nanos>(seconds_ * 1e9);
    while (shm::monotonic_now() < end && !failed_) {
      usleep(500 + dice(3'000));
      dice(4) == 0 ? stop_one() : kill_one();
      revive();
    }
    shared->over = true;
    for (Id id = 1; id <= kChildren; id++) {
      if (pid_[id] != 0) end_of(id, SIGKILL);
    }
    const double seconds = static_cast<double>(shm::monotonic_now() - began) / 1e9;
    // Of each that died one answer may have been on its way; none of them is counted here.
    const double most = kRate * seconds + kBurst;
    std::printf("tokens: %.0f admitted, at most %.0f\n", static_cast<double>(shared->counts[kTokens]), most);
    CHECK(static_cast<double>(shared->counts[kTokens]) <= most);
    finish();
  }

 private:
  std::uint32_t dice(std::uint32_t sides) { return static_cast<std::uint32_t>(random_() % sides); }

  void spawn(Id id) {
    std::uint32_t incarnation;
    if (!core::begin_join(*arena, id, incarnation) || !core::finish_join(*arena, id, incarnation)) return;
    const std::uint64_t seed = random_();
    std::fflush(stdout);
    pid_[id] = fork();
    if (pid_[id] == 0) Child(id, incarnation, seed).run();
  }
  void stop_one() {
    const Id id = 1 + dice(kChildren);
    if (pid_[id] == 0) return;
    kill(pid_[id], SIGSTOP);
    int status = 0;
    waitpid(pid_[id], &status, WUNTRACED);
    if (!WIFSTOPPED(status)) return reap(id, status);
    count(kStops);
    usleep(500 + dice(2'000));
    kill(pid_[id], SIGCONT);
  }
  void kill_one() {
    const Id id = 1 + dice(kChildren);
    if (pid_[id] != 0) end_of(id, SIGKILL);
  }
  void end_of(Id id, int signal) {
    kill(pid_[id], signal);
    int status = 0;
    waitpid(pid_[id], &status, 0);
    reap(id, status);
  }
  void reap(Id id, int status) {
    pid_[id] = 0;
    shared->held[id] = 0;  // before its death is known, so before anything of it passes on
    core::mark_dead(*arena, id, arena->participant(id).life.load());
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return count(kKills);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && shared->over) return;
    failed_ = true;
    violation("a participant ended by itself", id);
  }
  void revive() {
    for (Id id = 1; id <= kChildren; id++) {
      int status = 0;
      if (pid_[id] != 0 && waitpid(pid_[id], &status, WNOHANG) == pid_[id]) reap(id, status);
      if (pid_[id] != 0) continue;
      core::sweep_all(*waker_);
      if (core::LifeWord::of(arena->participant(id).life.load()).life == core::Life::kFree) spawn(id);
    }
  }

  // All have left: nothing is missing, and all of it can be had.
  void finish() {
    CHECK(core::sweep_all(*waker_));
    check_books(*arena, pool);
    for (int d = 0; d < core::kDimensions; d++) CHECK_EQUAL(core::Pool(*arena, pool.index).record().used[d].get(), 0u);
    const core::Answer changed = change_pool(*member_, pool, terms_of(kCapacity));
    CHECK(changed == core::Answer::kOk);
    usleep(100'000);  // plans end, buckets fill
    member_->sweep_plans();
    CHECK_EQUAL(member_->next_plan_end(), 0u);
    core::Granted granted;
    CHECK(member_->try_units(units(pool, {kCapacity, 2 * kCapacity}, 3), granted) == core::Answer::kOk);
    CHECK(member_->release_shared(granted.waiter, granted.sequence) == core::Answer::kOk);
    core::Tokens out;
    CHECK(member_->try_tokens(tokens(bucket, kBurst), out) == core::Answer::kOk);
    CHECK(member_->try_lock({.handle = lock}, granted) == core::Answer::kOk);
    for (core::SlotId id = 1; id <= arena->layout().chunk_count * core::kChunkSlots; id++) {
      const Id owner = arena->owner_of(id).participant;
      CHECK(owner == 0 || owner == kParent);
    }
    for (core::ElementIndex index = 0; index < arena->capacity().elements; index++) {
      CHECK_EQUAL(core::Gate::of(arena->element(index).gate.load()).holder, 0u);
      CHECK_EQUAL(arena->element(index).holders.load(), 0u);
    }
  }

  const double seconds_;
  std::mt19937_64 random_;
  std::unique_ptr<core::Member> member_;
  std::unique_ptr<core::Lane> waker_;
  pid_t pid_[kChildren + 1] = {};
  bool failed_ = false;
};

core::Arena make_arena() {
  const core::Capacity capacity{.elements = 16, .slots = 32 * core::kChunkSlots, .participants = 15, .texts = 8, .heap = 64};
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

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  shared = static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  core::Arena made = make_arena();
  arena = &made;
  host.arena = &made;
  int failed = 0;
  try {
    Storm(seconds, seed).run();
  } catch (const std::exception& error) {
    std::printf("FAIL after all have left: %s\n", error.what());
    failed++;
  }
  for (int i = 0; i < kCounts; i++) std::printf("%s %llu  ", kCountNames[i], static_cast<unsigned long long>(shared->counts[i].load()));
  std::printf("\n");
  if (shared->counts[kViolations] != 0) failed++;
  for (int what = 0; what < kViolations; what++) {
    if (shared->counts[what] != 0) continue;
    std::printf("FAIL there were no %s\n", kCountNames[what]);  // then it was no storm
    failed++;
    break;
  }
  std::printf("%d passed, %d failed\n", 3 - failed, failed);  // the arena, the violations, the storm itself
  return failed == 0 ? 0 : 1;
}
