#include "core/names.h"

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

NameId id_of(Member& member, const std::u16string& name) { return intern(member.lane(), name.data(), name.size()); }

}  // namespace

TEST_CASE("a name has one number, the same for every participant, and the number gives the name") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  const NameId id = id_of(*a, u"checkout");
  CHECK(id != 0);
  CHECK_EQUAL(id_of(*b, u"checkout"), id);
  CHECK(id_of(*b, u"other") != id);
  const std::u16string longest(200, u'\xe9');
  std::u16string name;
  CHECK(name_of(*world.arena, id_of(*b, longest), name));
  CHECK(name == longest);
  CHECK(name_of(*world.arena, id, name));
  CHECK(name == u"checkout");
}

TEST_CASE("a number that no name has gives none") {
  World world;
  auto member = world.join(1);
  const Handle lock = look_up(*member, u"a lock");
  std::u16string name;
  for (const NameId id : {0u, lock.index + 1, world.arena->capacity().elements, 0xffffffffu}) CHECK(!name_of(*world.arena, id, name));
}

TEST_CASE("names leave half of the table to locks, and what there is no room for is counted") {
  World world;
  auto member = world.join(1);
  const std::uint32_t half = world.arena->capacity().elements / 2;
  std::vector<NameId> ids;
  for (std::uint32_t i = 0; i < half; i++) ids.push_back(id_of(*member, u"name" + std::u16string(1, static_cast<char16_t>(u'0' + i))));
  CHECK_EQUAL(id_of(*member, u"one too many"), 0u);
  CHECK_EQUAL(world.counter(Counter::kNamesLost), 1u);
  CHECK_EQUAL(id_of(*member, u"name0"), ids[0]);
  for (std::uint32_t i = 0; i < 3 * half; i++) {
    look_up(*member, u"lock" + std::u16string(1, static_cast<char16_t>(u'0' + i)));  // these take turns in the other half
    world.host.time += 2'000 * kNanosPerMilli;
  }
  CHECK_EQUAL(id_of(*member, u"name0"), ids[0]);
}

TEST_CASE("long names leave half of the text to locks, whose own never give way to them") {
  World world;
  auto member = world.join(1);
  const std::u16string stem(100, u'\x416');
  std::uint32_t had = 0;
  for (std::uint32_t i = 0; i < 16; i++) had += id_of(*member, stem + std::u16string(1, static_cast<char16_t>(u'0' + i))) != 0 ? 1 : 0;
  CHECK_EQUAL(had, world.arena->capacity().texts / 2 / 5);
  for (std::uint32_t i = 0; i < 16; i++) {
    look_up(*member, stem + u"lock" + std::u16string(1, static_cast<char16_t>(u'0' + i)));
    world.host.time += 2'000 * kNanosPerMilli;
  }
  CHECK(id_of(*member, stem + u"0") != 0);
}

TEST_MAIN()
