// Families of buckets: several lanes come in with the same key at once. Before each atomic operation of one lane another one runs
// whole, or is itself interrupted by a third, or the clock moves on, or the first never goes on. What was granted is held against the
// rate, and the key has one bucket.
#include "core/keyed.h"

#include <ucontext.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "hooks.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr Nanos kMilli = kNanosPerMilli;
constexpr Nanos kPeriod = 100 * kMilli;

struct Grant {
  Nanos at;
  double tokens;
};

// Three lanes, a table of one window, and the key of which it is all about. Its home line, and the one behind it, may be filled.
class Scene {
 public:
  Scene() {
    Pace pace{};
    CHECK(Pace::of(10, 1000, 2, pace));
    const std::u16string name = u"f";
    CHECK(member_->lookup(Kind::kKeyed, name.data(), name.size(), handle_) == Found::kOk);
    CHECK(define_keyed(*world.arena, handle_.index, pace, 16) == KeyedMade::kMade);
    for (ParticipantId id = 1; id <= 4; id++) lanes.emplace_back(*world.arena, handle_.index, lane_of(id, Thread::kScript));
  }

  // The `i`th key, after the one it is about, whose home is the line `steps` behind its.
  Hash key(int i, std::uint64_t steps = 0) const {
    const std::uint64_t wanted = (home(key_of(0)) + steps) % kKeyedWindow;
    for (char16_t number = 1;; number++) {
      const Hash other = key_of(number);
      if (home(other) == wanted && i-- == 0) return other;
    }
  }
  Hash key_of(char16_t number) const { return hash_key(world.arena->header().seed, &number, 1); }

  KeyedAnswer take(int lane, double tokens = 2) {
    KeyedTokens out;
    const KeyedAnswer answer = lanes[lane].take(key_of(0), tokens, out);
    if (answer == KeyedAnswer::kOk) grants.push_back({out.now, tokens});
    return answer;
  }
  void fill(std::uint64_t steps, int count, double tokens, int from = 0) {
    KeyedTokens out;
    for (int i = from; i < from + count; i++) CHECK(lanes[3].take(key(i, steps), tokens, out) == KeyedAnswer::kOk);
  }

  // Whatever has happened: as many tokens as the time allows, and then no more.
  void judge() {
    const Nanos end = world.host.time;
    while (take(3, 1) == KeyedAnswer::kOk) {
    }
    CHECK_EQUAL(buckets(), 1);
    std::sort(grants.begin(), grants.end(), [](const Grant& a, const Grant& b) { return a.at < b.at; });
    double all = 0;
    for (std::size_t from = 0; from < grants.size(); from++) {
      double sum = 0;
      for (std::size_t to = from; to < grants.size(); to++) {
        sum += grants[to].tokens;
        CHECK(sum <= 2 + static_cast<double>(grants[to].at - grants[from].at) / kPeriod + 0.01);
      }
      all += grants[from].tokens;
    }
    CHECK(all + 0.999 >= 2 + static_cast<double>(end - grants.front().at) / kPeriod - idle);
  }

  World world{[] {
    Capacity capacity = World::small();
    capacity.heap = 4;
    return capacity;
  }()};
  std::vector<Keyed> lanes;
  std::vector<Grant> grants;
  double idle = 0;  // tokens that a full bucket may have missed

 private:
  static std::uint64_t home(const Hash& key) { return static_cast<std::uint64_t>((static_cast<Wide>(key.low) * kKeyedWindow) >> 64); }

  int buckets() {
    auto& record = world.arena->record<KeyedRecord>(world.arena->element(handle_.index).base.load(std::memory_order_relaxed));
    auto* cells = reinterpret_cast<atomic_pair*>(&record + 1);
    const std::uint64_t tag = KeyWord::tag(key_of(0).high);
    int count = 0;
    for (std::uint64_t i = 0; i < kKeyedWindow * kLineCells; i++) {
      count += KeyWord::tag(cells[i].low()) == tag && !TimeWord::claimed(cells[i].high()) ? 1 : 0;
    }
    return count;
  }

  std::unique_ptr<Member> member_ = world.join(1);
  Handle handle_{};
};

// What may stand in the table when it begins.
const std::vector<std::pair<const char*, void (*)(Scene&)>> kBeginnings = {
    {"an empty table", [](Scene&) {}},
    {"a home line in debt", [](Scene& s) { s.fill(0, 4, 2); }},
    {"a home line of which one is full in a millisecond",
     [](Scene& s) {
       s.fill(0, 1, 1);
       s.world.host.time += kPeriod - kMilli;
       s.fill(0, 3, 2, 1);
     }},
    {"two lines of which the second is full in a millisecond",
     [](Scene& s) {
       s.fill(1, 4, 1);
       s.world.host.time += kPeriod - kMilli;
       s.fill(0, 4, 2);
     }},
    {"a bucket of the key in the second line, which others want",
     [](Scene& s) {
       s.fill(0, 4, 2);
       s.take(3, 2);
       s.fill(1, 3, 2);
       s.world.host.time += 2 * kPeriod - kMilli;
       s.idle += 2;
     }},
    {"a bucket of the key in the home line", [](Scene& s) { s.take(3, 1); }},
};

// What the one that comes between does, besides taking.
const std::vector<std::pair<const char*, void (*)(Scene&)>> kEvents = {
    {"nothing else", [](Scene&) {}},
    {"after a millisecond",
     [](Scene& s) {
       s.world.host.time += kMilli;
       s.idle += 0.01;
     }},
    {"after everything is full",
     [](Scene& s) {
       s.world.host.time += 3 * kPeriod;
       s.idle += 3;
     }},
    {"after everything is full and its cells have gone to others",
     [](Scene& s) {
       s.world.host.time += 3 * kPeriod;
       s.idle += 3;
       s.fill(1, 4, 2, 10);
       s.fill(0, 3, 2, 10);
     }},
    {"after another pace has come and gone",
     [](Scene& s) {
       Pace pace = s.lanes[3].pace();
       Pace slower{};
       CHECK(Pace::of(9, 1000, 2, slower));
       s.lanes[3].change(slower);
       s.lanes[3].change(pace);
     }},
};

// Two lanes that take turns on one thread: each operation of either is a point at which the other may go on.
class Turns {
 public:
  Turns(std::function<void()> one, std::function<void()> other) : bodies_{std::move(one), std::move(other)} {
    prepare(0);
    prepare(1);
  }
  Turns(const Turns&) = delete;

  // Lets one of them make so many operations, or come to its end.
  void run(int who, long operations) {
    if (done_[who]) return;
    left_ = operations;
    current_ = this;
    who_ = who;
    const scheduled::HookScope scope([this] {
      if (left_-- > 0) return;
      scheduled::inside = false;  // of this operation; the other lane has hooks too
      swapcontext(&lanes_[who_], &main_);
    });
    swapcontext(&main_, &lanes_[who]);
    if (failure_) throw Failure(*failure_);
  }
  bool done(int who) const { return done_[who]; }

 private:
  void prepare(int who) {
    getcontext(&lanes_[who]);
    stacks_[who].resize(256 * 1024);
    lanes_[who].uc_stack = {stacks_[who].data(), 0, stacks_[who].size()};
    lanes_[who].uc_link = &main_;
    makecontext(&lanes_[who], reinterpret_cast<void (*)()>(&Turns::enter), 0);
  }
  static void enter() {
    Turns& turns = *current_;
    const int who = turns.who_;
    try {
      turns.bodies_[who]();
    } catch (const std::exception& error) {
      turns.failure_ = error.what();
    }
    turns.done_[who] = true;
  }

  static inline Turns* current_ = nullptr;
  std::function<void()> bodies_[2];
  ucontext_t main_{}, lanes_[2]{};
  std::vector<char> stacks_[2];
  bool done_[2]{};
  long left_ = 0;
  int who_ = 0;
  std::optional<std::string> failure_;
};

template <typename Run>
void everywhere(const Run& run) {
  for (const auto& [beginning, prepare] : kBeginnings) {
    for (const auto& [event, happen] : kEvents) {
      for (long n = 0;; n++) {
        Scene scene;
        prepare(scene);
        bool more = false;
        try {
          more = run(scene, happen, n);
          scene.judge();
        } catch (const std::exception& error) {
          throw Failure(std::string(beginning) + ", " + event + ", operation " + std::to_string(n) + ": " + error.what());
        }
        if (!more) break;
      }
    }
  }
}

}  // namespace

TEST_CASE("of two lanes with one key, wherever one interrupts the other, together they get what one would") {
  everywhere([](Scene& scene, auto happen, long n) {
    return with_hook(
               n, [&] { scene.take(0); },
               [&] {
                 happen(scene);
                 scene.take(1);
               }) > n;
  });
}

TEST_CASE("a lane that was stopped while its key came, and went again, takes no more than the time since allows") {
  everywhere([](Scene& scene, auto happen, long n) {
    return with_hook(
               n, [&] { scene.take(0); },
               [&] {
                 scene.take(1);
                 happen(scene);
               }) > n;
  });
}

TEST_CASE("of two lanes that are both stopped in the midst of it, together they get what one would") {
  for (long first = 0; first < 40; first++) {
    everywhere([first](Scene& scene, auto happen, long n) {
      Turns turns([&] { scene.take(0); }, [&] { scene.take(1); });
      turns.run(0, first);
      turns.run(1, n);
      const bool more = !turns.done(1);
      happen(scene);
      turns.run(0, 1'000'000);
      turns.run(1, 1'000'000);
      CHECK(turns.done(0) && turns.done(1));
      return more;
    });
  }
}

TEST_CASE("of two lanes that ask for one token each, both get it") {
  for (long n = 0;; n++) {
    Scene scene;
    const long made = with_hook(
        n, [&] { CHECK(scene.take(0, 1) == KeyedAnswer::kOk); }, [&] { CHECK(scene.take(1, 1) == KeyedAnswer::kOk); });
    scene.judge();
    if (made <= n) break;
  }
}

TEST_CASE("of three lanes with one key, each interrupted by the next, together they get what one would") {
  for (long inner = 0; inner < 24; inner++) {
    everywhere([inner](Scene& scene, auto happen, long n) {
      return with_hook(
                 n, [&] { scene.take(0); },
                 [&] {
                   with_hook(
                       inner, [&] { scene.take(1); },
                       [&] {
                         happen(scene);
                         scene.take(2);
                       });
                 }) > n;
    });
  }
}

TEST_CASE("a lane that stops before any operation, for ever, keeps nobody from its key and takes no more than it was granted") {
  everywhere([](Scene& scene, auto happen, long n) {
    const bool stopped = stop_before(n, [&] { scene.take(0); });
    happen(scene);
    scene.take(1);
    return stopped;
  });
}

TEST_CASE("a change of the pace that stops before any operation, for ever, is finished by the next one") {
  for (long n = 0;; n++) {
    Scene scene;
    scene.take(0, 2);
    scene.fill(0, 3, 1);
    Pace slower{};
    CHECK(Pace::of(5, 1000, 2, slower));
    const Pace pace = scene.lanes[1].pace();
    const bool stopped = stop_before(n, [&] { scene.lanes[1].change(slower); });
    CHECK(scene.take(2, 1) == KeyedAnswer::kRefused);
    scene.lanes[2].change(pace);
    CHECK(scene.take(2, 1) == KeyedAnswer::kRefused);
    scene.judge();
    if (!stopped) break;
  }
}

TEST_CASE("between two changes of the pace, wherever a lane was, it takes no more than it may") {
  Pace slower{};
  CHECK(Pace::of(0.001, 1000, 2, slower));
  for (long n = 0;; n++) {
    Scene scene;
    const Pace pace = scene.lanes[1].pace();
    const long made = with_hook(
        n, [&] { scene.take(0, 2); },
        [&] {
          for (int i = 0; i < 3; i++) {
            scene.lanes[1].change(slower);
            scene.lanes[1].change(pace);
          }
          scene.take(2, 2);
        });
    scene.judge();
    if (made <= n) break;
  }
}

TEST_MAIN()
