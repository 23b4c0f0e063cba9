#include "shm/snapshot.h"

#include "check.h"
#include "world.h"

using namespace forelock;
using test::look_up;
using test::World;

namespace {

core::Answer lock(core::Member& member, const core::Handle& handle, std::uint32_t tier, core::Granted& out, bool shared = false) {
  core::Request request;
  request.handle = handle;
  request.tier = tier;
  request.shared = shared;
  return member.lock(request, out);
}

}  // namespace

TEST_CASE("a snapshot shows holder and waiters, in the order in which they would be served") {
  World world;
  const auto one = world.join(1), two = world.join(2);
  core::Granted held, low, high;
  const core::Handle handle = look_up(*one, u"a");
  CHECK(lock(*one, handle, 1, held) == core::Answer::kOk);
  CHECK(lock(*two, handle, 0, low) == core::Answer::kWait);
  CHECK(lock(*two, handle, 3, high) == core::Answer::kWait);
  const auto views = shm::snapshot(*world.arena, world.host.time, nullptr);
  CHECK_EQUAL(views.size(), 1u);
  CHECK(views[0].name == u"a");
  CHECK_EQUAL(views[0].holders.size(), 1u);
  CHECK_EQUAL(views[0].holders[0].participant, 1u);
  CHECK(views[0].holders[0].alive);
  CHECK_EQUAL(views[0].waiters.size(), 2u);
  CHECK_EQUAL(views[0].waiters[0].tier, 3u);
  CHECK_EQUAL(views[0].waiters[1].tier, 0u);
}

TEST_CASE("what nobody holds or waits for is not shown, nor what has another name") {
  World world;
  const auto one = world.join(1);
  core::Granted grant;
  look_up(*one, u"idle");
  CHECK(lock(*one, look_up(*one, u"a"), 1, grant) == core::Answer::kOk);
  CHECK(lock(*one, look_up(*one, u"b"), 1, grant, true) == core::Answer::kOk);
  CHECK_EQUAL(shm::snapshot(*world.arena, world.host.time, nullptr).size(), 2u);
  const std::u16string name = u"b";
  const auto views = shm::snapshot(*world.arena, world.host.time, &name);
  CHECK_EQUAL(views.size(), 1u);
  CHECK(views[0].holders[0].shared);
}

TEST_CASE("a holder that died is shown as not alive, until somebody takes its lock") {
  World world;
  const auto one = world.join(1);
  core::Granted grant;
  CHECK(lock(*one, look_up(*one, u"a"), 1, grant) == core::Answer::kOk);
  world.kill(1);
  const auto views = shm::snapshot(*world.arena, world.host.time, nullptr);
  CHECK_EQUAL(views.size(), 1u);
  CHECK(!views[0].holders[0].alive);
}

TEST_CASE("lists that lead nowhere are refused, and ones that never end are cut short") {
  World world;
  const auto one = world.join(1), two = world.join(2);
  core::Granted held, wait;
  const core::Handle handle = look_up(*one, u"a");
  CHECK(lock(*one, handle, 1, held) == core::Answer::kOk);
  CHECK(lock(*two, handle, 1, wait) == core::Answer::kWait);
  core::Element& element = world.arena->element(handle.index);
  const core::SlotId id = element.heads[1].load();
  world.arena->slot(id).next.store(id);
  CHECK(!shm::snapshot(*world.arena, world.host.time, nullptr).empty());
  element.heads[1].store(0xffffff);
  bool refused = false;
  try {
    shm::snapshot(*world.arena, world.host.time, nullptr);
  } catch (const core::Corrupt&) {
    refused = true;
  }
  CHECK(refused);
}

TEST_CASE("many lists that run in one circle are cut short together") {
  World world;
  const auto one = world.join(1), two = world.join(2);
  core::Granted held, wait;
  for (char16_t name = u'a'; name < u'a' + 40; name++)
    CHECK(lock(*one, look_up(*one, std::u16string(1, name)), 1, held) == core::Answer::kOk);
  const core::Handle handle = look_up(*one, u"a");
  CHECK(lock(*two, handle, 1, wait) == core::Answer::kWait);
  const core::SlotId id = world.arena->element(handle.index).heads[1].load();
  world.arena->slot(id).next.store(id);
  for (core::ElementIndex index = 0; index < world.arena->capacity().elements; index++) {
    for (auto& head : world.arena->element(index).heads) head.store(id);
  }
  std::size_t shown = 0;
  for (const auto& view : shm::snapshot(*world.arena, world.host.time, nullptr)) shown += view.waiters.size();
  CHECK(shown <= 3 * world.arena->walk_bound());
}

TEST_MAIN()
