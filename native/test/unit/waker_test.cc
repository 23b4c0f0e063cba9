#include "shm/waker.h"

#include <unistd.h>

#include <future>
#include <thread>

#include "check.h"
#include "desk.h"
#include "shm/futex.h"
#include "supply.h"
#include "temporary_folder.h"

using namespace forelock;
using test::Desk;
using test::small;

TEST_CASE("a hand-off rings the one who waits") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted first, second;
  const core::Handle handle = one.find(u"a");
  CHECK(one.lock(handle, first) == core::Answer::kOk);
  CHECK(two.lock(two.find(u"a"), second) == core::Answer::kWait);
  CHECK(one.member().release(handle.index, first.sequence) == core::Answer::kOk);
  const core::Settled settled = two.settled();
  CHECK(settled.outcome == core::Outcome::kGranted);
  CHECK(settled.grant.sequence > first.sequence);
}

TEST_CASE("a wait ends at its deadline though nobody rings") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted grant;
  CHECK(one.lock(one.find(u"a"), grant) == core::Answer::kOk);
  core::Request request;
  request.handle = two.find(u"a");
  request.deadline = two.attachment().now() + 5 * core::kNanosPerMilli;
  CHECK(two.member().lock(request, grant) == core::Answer::kWait);
  two.attachment().publish();
  CHECK(two.settled().outcome == core::Outcome::kTimedOut);
}

// Its timer is a day away, and nobody who gives tokens back to the bucket above knows of it.
TEST_CASE("tokens that come back to a bucket above are had by who waits for them below another") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  const double day = 86'400'000;
  const core::Handle top = test::make_bucket(one.member(), u"top", test::pace_of(1, day, 1));
  const core::Handle left = test::make_bucket(one.member(), u"left", test::pace_of(1'000, 1'000, 1), &top);
  const core::Handle right = test::make_bucket(one.member(), u"right", test::pace_of(1'000, 1'000, 1), &top);
  core::Tokens out;
  core::Granted wait;
  CHECK(one.member().try_tokens(test::tokens(left), out) == core::Answer::kOk);
  CHECK(two.member().tokens(test::tokens(right), wait) == core::Answer::kWait);
  two.attachment().publish();
  one.member().give_back_tokens(left.index, 1);
  CHECK(two.settled().outcome == core::Outcome::kGranted);
}

TEST_CASE("waits in an arena whose file was removed end as retired, and all participants can see it") {
  test::TemporaryFolder folder;
  Desk one(shm::Region::open_named(folder.path(), "x", small())), two(shm::Region::open_named(folder.path(), "x", small()));
  core::Granted grant;
  CHECK(one.lock(one.find(u"a"), grant) == core::Answer::kOk);
  CHECK(two.lock(two.find(u"a"), grant) == core::Answer::kWait);
  CHECK(::unlink(folder.file("x").c_str()) == 0);
  CHECK(two.settled().outcome == core::Outcome::kRetired);
  CHECK_EQUAL(one.attachment().retired(), shm::kUnlinked);
}

TEST_CASE("damage that one participant reports ends the waits of the others") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted grant;
  CHECK(one.lock(one.find(u"a"), grant) == core::Answer::kOk);
  CHECK(two.lock(two.find(u"a"), grant) == core::Answer::kWait);
  shm::report_damage(one.attachment().arena());
  CHECK(two.settled().outcome == core::Outcome::kCorrupt);
}

TEST_CASE("a gate held by a live lane that is not there is called damage") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted grant;
  const core::Handle handle = one.find(u"a");
  CHECK(one.lock(handle, grant) == core::Answer::kOk);
  CHECK(two.lock(two.find(u"a"), grant) == core::Answer::kWait);
  core::Gate gate = core::Gate::of(one.attachment().arena().element(handle.index).gate.load());
  gate.holder = core::lane_of(one.attachment().participant(), core::Thread::kScript);
  one.attachment().arena().element(handle.index).gate.store(gate.word());
  CHECK(two.settled().outcome == core::Outcome::kCorrupt);
}

TEST_CASE("one who was declared dead while it lives stops believing, and the others go on") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted grant;
  CHECK(one.lock(one.find(u"a"), grant) == core::Answer::kOk);
  CHECK(two.lock(two.find(u"a"), grant) == core::Answer::kWait);
  auto& life = two.attachment().arena().participant(two.attachment().participant()).life;
  life.store(core::LifeWord{core::Life::kDead, core::LifeWord::of(life.load()).incarnation}.word());
  CHECK(two.settled().outcome == core::Outcome::kCorrupt);
  CHECK_EQUAL(one.attachment().retired(), 0u);
}

TEST_CASE("a sleeper whose mark was lost from the arena is woken all the same") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted grant;
  CHECK(one.lock(one.find(u"a"), grant) == core::Answer::kOk);
  for (int round = 0; round < 20; round++) {
    auto& ring = two.attachment().arena().participant(two.attachment().participant()).ring;
    ring.fetch_and(~1u);
    core::Request request;
    request.handle = two.find(u"a");
    request.deadline = two.attachment().now() + core::kNanosPerMilli;
    CHECK(two.member().lock(request, grant) == core::Answer::kWait);
    two.attachment().publish();
    CHECK(two.settled().outcome == core::Outcome::kTimedOut);
  }
}

TEST_CASE("leaving wakes a sleeper whose mark in the arena was lost") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen());
  auto& ring = one.attachment().arena().participant(one.attachment().participant()).ring;
  while ((ring.load() & 1) == 0) std::this_thread::yield();
  ring.fetch_and(~1u);
  std::promise<void> left;
  std::thread leaver([&] {
    one.leave();
    left.set_value();
  });
  // Bounded only so that a failure ends.
  const bool ended = left.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready;
  if (!ended) shm::futex_wake(&ring);
  leaver.join();
  CHECK(ended);
}

TEST_MAIN()
