// Death at every instruction. Each scenario is single-stepped; after every instruction that changed the arena the arena is
// copied, and on the copy survivors recover in several ways and the judge (scene.h) looks for anything left behind. Then
// the recovery itself is stepped and killed in the same way, from every state the first victim could leave (or a sample).
// Last, the one that is stepped is not killed but stopped at every such state while others work, and goes on.
//
//   step [--only TEXT] [--deep N] [--stops N] [--jobs N]
//     --deep N   step the recovery from every Nth state (1: from all; 0: not at all); by default 6, of supply 30, of plans none,
//                because the larger arenas of these take many times as long
//     --stops N  stop at every Nth state (1: at each, with every kind of work by the others; 0: not at all)
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "test/crash/in_child.h"
#include "test/crash/landmarks.h"
#include "test/crash/plan_scenarios.h"
#include "test/crash/scenarios.h"
#include "test/crash/stepper.h"
#include "test/crash/supply_scenarios.h"

using namespace forelock;
using namespace forelock::test;

namespace {

using Id = Scene::Id;
using Dead = std::vector<Id>;

struct Tally {
  std::atomic<std::uint64_t> instructions, states, recoveries, deep_instructions, deep_states, deep_recoveries, stops, stepped_stops;
  std::atomic<std::uint32_t> next, passed, failed;
};
Tally* tally;

struct Options {
  const char* only = nullptr;
  std::optional<unsigned> deep;
  unsigned stops = 2;
  unsigned jobs = 2;
};
Options options;

constexpr unsigned kCheckSeconds = 60;  // a check takes a millisecond; one that hangs is a failure

using Snapshot = std::vector<unsigned char>;

Snapshot snapshot_of(const Scene& scene) {
  const auto* from = static_cast<const unsigned char*>(scene.world.base);
  return {from, from + scene.world.size};
}

// This process goes on with a copy of the arena of its own, at the same address, and a clock of its own.
void replace_arena(Scene& scene, const Snapshot& bytes, int sharing) {
  void* at = mmap(scene.world.base, scene.world.size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (at != scene.world.base) std::abort();
  std::memcpy(at, bytes.data(), bytes.size());
  scene.clock.become_own(sharing);
}

// ---- the survivors' ways to go on ----------------------------------------------------------------------------------

std::vector<Id> living(const Dead& dead) {
  std::vector<Id> ids;
  for (Id id = 1; id <= Scene::kActors; id++) {
    if (std::find(dead.begin(), dead.end(), id) == dead.end()) ids.push_back(id);
  }
  return ids;
}

void bury(Scene& scene, const Dead& dead) {
  for (const Id id : dead) scene.world.kill(id);
}

void release_and_ask_again(Scene& scene, const Dead& dead) {
  for (const Id id : living(dead)) {
    scene.release_all(id);
    scene.lock(id, X, {.tier = id % 4, .shared = id == 3});
    if (!scene.supplied) continue;
    scene.allocate(id, {2, 3}, {.tier = id % 4, .ttl = id % 3});
    scene.take(id, 1, {.tier = id % 4});
  }
}

void give_up_everything(Scene& scene, const Dead& dead) {
  for (const Id id : living(dead)) {
    while (!scene.actors[id].waits.empty()) scene.abort(id);
    scene.release_all(id);
  }
}

void move_up_and_try(Scene& scene, const Dead& dead) {
  for (const Id id : living(dead)) {
    for (std::size_t i = 0; i < scene.actors[id].waits.size(); i++) scene.upgrade(id, i, 3);
    scene.try_lock(id, X, kShared);
    if (!scene.supplied) continue;
    scene.try_allocate(id, {1, 1});
    scene.try_take(id, 1);
  }
}

constexpr int kWays = 4;

// The dead are noticed before the others do anything, or only after they have gone on for a while.
void recover(Scene& scene, const Dead& dead, int way) {
  scene.note_tokens(dead);
  scene.check_plans();
  for (const Id id : dead) {
    if (id <= Scene::kActors) scene.actors[id].holds.clear();  // what they know of it dies with them
  }
  const Id first = Scene::survivor(dead);
  switch (way) {
    case 0:
      bury(scene, dead);
      break;
    case 1:
      release_and_ask_again(scene, dead);
      bury(scene, dead);
      break;
    case 2:
      bury(scene, dead);
      give_up_everything(scene, dead);
      break;
    case 3:
      move_up_and_try(scene, dead);
      bury(scene, dead);
      release_and_ask_again(scene, dead);
      break;
  }
  CHECK(scene.sweep_all(first));
  scene.settle(dead);
  CHECK(scene.sweep_all(first));
  scene.verify(dead);
}

Dead together(const Dead& a, const Dead& b) {
  Dead all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// What is stepped, in its child.
void do_act(const Scenario& scenario, Scene& scene) {
  try {
    scenario.act(scene);
  } catch (const std::exception& error) {
    std::printf("FAIL %s: %s\n%s", scenario.name, error.what(), scene.dump().c_str());
    std::fflush(stdout);
    _exit(1);
  }
}

// ---- dying ---------------------------------------------------------------------------------------------------------

std::string place(const Scenario& scenario, std::uint64_t instruction, std::uint64_t state, const char* of) {
  return std::string(scenario.name) + ", " + of + " instruction " + std::to_string(instruction) + " (state " + std::to_string(state) + ")";
}

// The recovery from one state, itself stepped, its doer killed at every state.
bool step_recovery(const Scenario& scenario, Scene& scene, const Snapshot& bytes, const std::string& where) {
  return in_child(where + ", stepping the recovery", kCheckSeconds, scene, [&] {
    alarm(0);
    replace_arena(scene, bytes, MAP_SHARED);
    const Dead first = together(scenario.dead, scenario.dying);
    bury(scene, first);
    constexpr Id kRecoverer = 2;
    const Dead all = together(first, {kRecoverer});
    Stepper stepper([&] { scene.sweep_all(kRecoverer); }, [] { return 0; });
    Snapshot before = bytes;
    std::uint64_t states = 0;
    bool good = true;
    while (good && stepper.step()) {
      if (std::memcmp(before.data(), scene.world.base, before.size()) == 0) continue;
      before = snapshot_of(scene);
      states++;
      // One way each time, in turn: all four would say little more and cost four times as much.
      const int way = static_cast<int>(states % kWays);
      const std::string at =
          where + ", then the recovery's instruction " + std::to_string(stepper.instructions()) + ", way " + std::to_string(way);
      tally->deep_recoveries++;
      good = in_child(at, kCheckSeconds, scene, [&] {
        replace_arena(scene, before, MAP_PRIVATE);
        recover(scene, all, way);
      });
    }
    tally->deep_instructions += stepper.instructions();
    tally->deep_states += states;
    if (stepper.gone()) throw Failure("the recovering process ended by itself");
    if (!good) throw Failure("see above");
  });
}

struct Stepped {
  std::uint64_t instructions = 0;
  std::uint64_t states = 0;
};

void prepare(const Scenario& scenario, Scene& scene) {
  if (scenario.supplied) scene.supply();
  scene.revokes = scenario.revokes;
  scene.timed = scenario.timed;
  scenario.prepare(scene);
}

bool die_everywhere(const Scenario& scenario, Stepped& out) {
  Scene scene(scenario.supplied, scenario.planned);
  prepare(scenario, scene);
  const Dead dead = together(scenario.dead, scenario.dying);
  Stepper stepper([&] { do_act(scenario, scene); }, [] { return 0; });
  if (scenario.holds_on) scene.untold = X;  // to the survivors, not to the one that is stepped
  Snapshot before = snapshot_of(scene);
  bool good = true;
  const auto examine = [&] {
    const std::string where = place(scenario, stepper.instructions(), out.states, "dead after");
    for (int way = 0; way < kWays && good; way++) {
      tally->recoveries++;
      good = in_child(where + ", way " + std::to_string(way), kCheckSeconds, scene, [&] {
        replace_arena(scene, before, MAP_PRIVATE);
        recover(scene, dead, way);
      });
    }
    const unsigned deep = options.deep.value_or(scenario.planned ? 0 : scenario.supplied ? 30 : 6);
    if (good && deep != 0 && out.states % deep == 0) good = step_recovery(scenario, scene, before, where);
  };
  examine();
  while (good && stepper.step()) {
    if (std::memcmp(before.data(), scene.world.base, before.size()) == 0) continue;
    before = snapshot_of(scene);
    out.states++;
    examine();
  }
  out.instructions = stepper.instructions();
  if (good && stepper.gone()) {
    std::printf("FAIL %s: the stepped process ended by itself\n", scenario.name);
    good = false;
  }
  return good;
}

// ---- stopping ------------------------------------------------------------------------------------------------------

// What both sides of a stop see of each other.
struct Meeting {
  std::atomic<bool> acted, resting, over;
};

void check_counters(const Scene& scene) {
  CHECK_EQUAL(scene.world.counter(core::Counter::kTakeovers), 0u);
  CHECK_EQUAL(scene.world.counter(core::Counter::kRescans), 0u);
  CHECK_EQUAL(scene.world.counter(core::Counter::kProbeHandoffs), 0u);
}

// The side that was stopped, once it goes on: finishes its business, only ever on being rung.
int go_on(Scene& scene, Meeting& meeting, const std::string& where) {
  try {
    meeting.acted = true;
    for (int idle = 1; !meeting.over; idle++) {
      const bool moved = scene.turn(1, true);
      meeting.resting = !moved && scene.at_rest(1);
      if (!moved) usleep(100);
      if (!scene.supplied || idle % 500 != 0) continue;
      scene.actors[1].member->expire();
      scene.look_at_plans(1);
    }
    return 0;
  } catch (const std::exception& error) {
    std::printf("FAIL %s: the one that was stopped: %s\n", where.c_str(), error.what());
    std::fflush(stdout);
    return 1;
  }
}

constexpr unsigned kWorks = 5;

void others_work(Scene& scene, const Dead& dead, unsigned which) {
  const std::u16string aside = u"aside";
  const Id one = Scene::survivor(dead);
  // On another element nothing is delayed, whatever the stopped one is in the middle of.
  const core::Answer answer = scene.lock(one, aside);
  CHECK(answer == core::Answer::kOk || answer == core::Answer::kNoSlots);
  if (answer == core::Answer::kOk) scene.release(one, scene.actors[one].holds.size() - 1);
  switch (which) {
    case 0:
      release_and_ask_again(scene, dead);
      break;
    case 1:
      give_up_everything(scene, dead);
      for (const Id id : living(dead)) scene.lock(id, X, {.tier = id % 4});
      if (scene.supplied) scene.resize(one, scene.pool_limit);
      break;
    case 2:
      move_up_and_try(scene, dead);
      break;
    case 3:
      // The stopped one's name, made by another, and so many new names that every idle place is used anew.
      for (const Id id : living(dead)) scene.lock(id, id % 2 == 0 ? X : kWide, {.shared = id == 4});
      for (char16_t c = 0; c < 8; c++) {
        core::Handle handle{};
        const std::u16string name = u"churn" + std::u16string(1, static_cast<char16_t>(u'a' + c));
        scene.actors[one].member->lookup(core::Kind::kLock, name.data(), name.size(), handle);
      }
      break;
    case 4:
      // The place of the stopped one's name goes to another, who uses it.
      for (char16_t c = 0; c < 8; c++) scene.lock(one, u"taken" + std::u16string(1, static_cast<char16_t>(u'a' + c)));
      break;
  }
}

// Everybody serves and is served, by rings alone, until all is quiet.
void meet_again(Scene& scene, const Dead& dead, Meeting& meeting, Stepper& stepper) {
  int quiet = 0;
  for (int idle = 0; quiet < 3;) {
    bool moved = false;
    bool rest = meeting.acted && meeting.resting;
    for (const Id id : living(dead)) {
      moved |= scene.turn(id, true);
      rest &= scene.at_rest(id);
    }
    if (stepper.gone()) throw Failure("the one that was stopped is gone");
    quiet = rest && !moved ? quiet + 1 : 0;
    idle = moved ? 0 : idle + 1;
    if (!moved) usleep(100);
    if (scene.timed && idle % 500 == 499) {  // the clock goes on only when nothing else does
      scene.pass_time(1'000);
      for (const Id id : living(dead)) {
        scene.actors[id].member->expire();
        scene.look_at_plans(id);
      }
    }
    if (idle > 50'000) throw Failure("somebody waits for ever, or a ring was lost");
  }
}

// What is stepped, and stopped.
void do_act_with_others(const Scenario& scenario, Scene& scene) {
  scene.forget_holds_but(1);
  scene.stepped_alone = false;
  do_act(scenario, scene);
}

std::vector<Landmark> landmarks_of(const Scenario& scenario) {
  Scene scene(scenario.supplied, scenario.planned);
  prepare(scenario, scene);
  Stepper stepper([&] { do_act_with_others(scenario, scene); }, [] { return 0; });
  return landmarks_of(stepper, scene.world.base, scene.world.size);
}

// Stepping to each state anew is most of what all of this would take: `landmark`, if there is one, is how to get there without.
bool stop_at(const Scenario& scenario, std::uint64_t state, unsigned work, const Landmark* landmark, bool& reached) {
  const std::string where = place(scenario, 0, state, "stopped after") + ", work " + std::to_string(work);
  Scene scene(scenario.supplied, scenario.planned);
  auto* meeting = static_cast<Meeting*>(mmap(nullptr, sizeof(Meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  bool good = true;
  bool astray = false;
  try {
    prepare(scenario, scene);
    Stepper stepper([&] { do_act_with_others(scenario, scene); }, [&] { return go_on(scene, *meeting, where); });
    Snapshot before = snapshot_of(scene);
    std::uint64_t states = 0;
    reached = state == 0;
    if (!reached && landmark != nullptr) {
      reached = reach(stepper, *landmark, scene.world.base, scene.world.size);
      astray = !reached;
    } else if (!reached) {
      tally->stepped_stops++;
    }
    while (!reached && !astray && stepper.step()) {
      if (std::memcmp(before.data(), scene.world.base, before.size()) == 0) continue;
      before = snapshot_of(scene);
      reached = ++states == state;
    }
    if (reached) {
      const Dead away = together(scenario.dead, {1});
      scene.actors[1].holds.clear();  // the stopped one knows better by now
      scene.stepped_alone = false;
      others_work(scene, away, work);
      stepper.let_go();
      meet_again(scene, away, *meeting, stepper);
      meeting->over = true;
      if (stepper.exit_status() != 0) throw Failure("the one that was stopped failed");
      if (scenario.dead.empty()) check_counters(scene);
      scene.world.kill(1);
      CHECK(scene.sweep_all(2));
      scene.verify(away);
      tally->stops++;
    }
  } catch (const std::exception& error) {
    std::printf("FAIL %s: %s\n%s", where.c_str(), error.what(), scene.dump().c_str());
    good = false;
  }
  munmap(meeting, sizeof(Meeting));
  return astray && good ? stop_at(scenario, state, work, nullptr, reached) : good;
}

bool stop_everywhere(const Scenario& scenario) {
  if (options.stops == 0 || scenario.dying != Dead{1}) return true;
  if (std::string(scenario.name).rfind("leave", 0) == 0) return true;  // who has left does not go on
  const std::vector<Landmark> landmarks = landmarks_of(scenario);
  unsigned turn = 0;
  for (std::uint64_t state = 0; state <= landmarks.size(); state += options.stops) {
    bool reached = false;
    const Landmark* landmark = state == 0 ? nullptr : &landmarks[state - 1];
    // Every kind of work at every state only where every state is looked at.
    for (unsigned work = 0; work < (options.stops == 1 ? kWorks : 1); work++) {
      if (!stop_at(scenario, state, options.stops == 1 ? work : turn++ % kWorks, landmark, reached)) return false;
    }
    if (!reached) return true;
  }
  return true;
}

// ---- all of it -----------------------------------------------------------------------------------------------------

void run(const Scenario& scenario) {
  Stepped stepped;
  bool good = false;
  try {
    good = die_everywhere(scenario, stepped) && stop_everywhere(scenario);
  } catch (const std::exception& error) {
    std::printf("FAIL %s: %s\n", scenario.name, error.what());
  }
  tally->instructions += stepped.instructions;
  tally->states += stepped.states;
  (good ? tally->passed : tally->failed)++;
  std::printf("%-62s %7llu instructions %4llu states%s\n", scenario.name, static_cast<unsigned long long>(stepped.instructions),
              static_cast<unsigned long long>(stepped.states), good ? "" : "  FAILED");
  std::fflush(stdout);
}

void work(const std::vector<Scenario>& scenarios) {
  for (;;) {
    const std::uint32_t index = tally->next++;
    if (index >= scenarios.size()) return;
    run(scenarios[index]);
  }
}

void read_options(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    const auto number = [&] { return static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10)); };
    if (key == "--only") options.only = argv[i + 1];
    if (key == "--deep") options.deep = number();
    if (key == "--stops") options.stops = number();
    if (key == "--jobs") options.jobs = number();
  }
}

}  // namespace

int main(int argc, char** argv) {
  resolve_symbols_first(argv);
  read_options(argc, argv);
  tally = static_cast<Tally*>(mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<Scenario> scenarios;
  std::vector<Scenario> every = all_scenarios();
  for (Scenario& scenario : supply_scenarios()) every.push_back(std::move(scenario));
  for (Scenario& scenario : plan_scenarios()) every.push_back(std::move(scenario));
  for (const Scenario& scenario : every) {
    if (options.only == nullptr || std::string(scenario.name).find(options.only) != std::string::npos) scenarios.push_back(scenario);
  }
  std::fflush(stdout);
  for (unsigned job = 1; job < options.jobs; job++) {
    if (fork() == 0) {
      work(scenarios);
      _exit(0);
    }
  }
  work(scenarios);
  while (wait(nullptr) > 0) {
  }
  const auto count = [](const std::atomic<std::uint64_t>& n) { return static_cast<unsigned long long>(n.load()); };
  std::printf("%zu scenarios: %llu states, %llu recoveries\n", scenarios.size(), count(tally->states), count(tally->recoveries));
  std::printf("recoveries stepped too: %llu instructions, %llu states, %llu recoveries from them\n", count(tally->deep_instructions),
              count(tally->deep_states), count(tally->deep_recoveries));
  std::printf("stopped and gone on: %llu times, stepped to %llu of the states\n", count(tally->stops), count(tally->stepped_stops));
  std::printf("%llu instructions\n", count(tally->instructions) + count(tally->deep_instructions));
  std::printf("%u passed, %u failed\n", tally->passed.load(), tally->failed.load());
  return tally->failed == 0 && tally->passed > 0 ? 0 : 1;
}
