#include "core/table.h"

#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

Request on(Handle handle) {
  Request request;
  request.handle = handle;
  return request;
}

Found find(Member& member, const std::u16string& name, Handle& out, Kind kind = Kind::kLock) {
  return member.lookup(kind, name.data(), name.size(), out);
}

Capacity tiny() { return {.elements = 8, .slots = 4 * kChunkSlots, .participants = 4, .texts = 6}; }

std::u16string numbered(int i) { return u"n" + std::u16string(1, static_cast<char16_t>(0x100 + i)); }

std::uint64_t token_of(const World& world, Handle handle, const Granted& granted) {
  return world.arena->element(handle.index).base.load() + granted.sequence;
}

}  // namespace

TEST_CASE("a name is found again, by whomever, and is another in each kind") {
  World world;
  auto a = world.join(1);
  auto b = world.join(2);
  Handle first, again, bucket;
  CHECK(find(*a, u"x", first) == Found::kOk);
  CHECK(find(*b, u"x", again) == Found::kOk);
  CHECK_EQUAL(again.index, first.index);
  CHECK_EQUAL(again.generation, first.generation);
  CHECK(find(*a, u"x", bucket, Kind::kBucket) == Found::kOk);
  CHECK(bucket.index != first.index);
}

TEST_CASE("names of every length and width are kept for inspection") {
  World world;
  auto a = world.join(1);
  for (const std::u16string& name : {std::u16string(), std::u16string(u"x"), std::u16string(kNameInline, u'i'),
                                     std::u16string(kNameInline + 1, u'j'), std::u16string(kNameInline / 2, 0x4e00),
                                     std::u16string(kNameInline / 2 + 1, 0x4e01), std::u16string(100, 0xff), std::u16string(3, 0xd800)}) {
    Handle handle;
    CHECK(find(*a, name, handle) == Found::kOk);
    CHECK(Table::name_of(*world.arena, handle.index) == name);
  }
}

TEST_CASE("a name is at most 4096 units long") {
  Capacity capacity = World::small();
  capacity.texts = 200;
  World world(capacity);
  auto a = world.join(1);
  Handle handle;
  const std::u16string longest(kNameMaxUnits, 0x4e00);
  CHECK(find(*a, longest, handle) == Found::kOk);
  CHECK(Table::name_of(*world.arena, handle.index) == longest);
  CHECK(find(*a, longest + u"x", handle) == Found::kNameTooLong);
}

TEST_CASE("text is refused when elements in use have it all, and comes back with them") {
  World world(tiny());
  auto a = world.join(1);
  Handle first, second;
  CHECK(find(*a, std::u16string(6 * Text::kBytes, u'a'), first) == Found::kOk);  // every block there is
  Granted granted;
  CHECK(a->try_lock(on(first), granted) == Answer::kOk);
  CHECK(find(*a, std::u16string(kNameInline + 1, u'b'), second) == Found::kNoNames);
  CHECK(find(*a, u"short", second) == Found::kOk);
  CHECK(a->release(first.index, granted.sequence) == Answer::kOk);
  CHECK(find(*a, std::u16string(6 * Text::kBytes, u'c'), second) == Found::kOk);
}

TEST_CASE("every place of a full table is used again, in turn, and no name is there twice") {
  World world(tiny());
  auto a = world.join(1);
  for (int i = 0; i < 200; i++) {
    Handle handle, again;
    CHECK(find(*a, numbered(i), handle) == Found::kOk);
    CHECK(find(*a, numbered(i), again) == Found::kOk);
    CHECK_EQUAL(handle.index, again.index);
    CHECK_EQUAL(handle.generation, again.generation);
  }
  CHECK(world.counter(Counter::kRecycled) >= 192);
}

TEST_CASE("an element that is waited for or shared is never used again") {
  World world(tiny());
  auto a = world.join(1);
  Handle waited, shared_one;
  CHECK(find(*a, u"waited", waited) == Found::kOk);
  CHECK(find(*a, u"shared", shared_one) == Found::kOk);
  Granted held, wait, reader;
  CHECK(a->lock(on(waited), held) == Answer::kOk);
  CHECK(a->lock(on(waited), wait) == Answer::kWait);
  Request share = on(shared_one);
  share.shared = true;
  CHECK(a->lock(share, reader) == Answer::kOk);
  for (int i = 0; i < 100; i++) {
    Handle handle;
    CHECK(find(*a, numbered(i), handle) == Found::kOk);
    CHECK(handle.index != waited.index);
    CHECK(handle.index != shared_one.index);
  }
}

TEST_CASE("tokens of a name go on above those of its earlier lives") {
  World world(tiny());
  auto a = world.join(1);
  std::uint64_t last = 0;
  for (int life = 0; life < 20; life++) {
    Handle handle;
    CHECK(find(*a, u"x", handle) == Found::kOk);
    for (int i = 0; i <= life; i++) {
      Granted granted;
      CHECK(a->try_lock(on(handle), granted) == Answer::kOk);
      CHECK(token_of(world, handle, granted) > last);
      last = token_of(world, handle, granted);
      CHECK(a->release(handle.index, granted.sequence) == Answer::kOk);
    }
    for (int i = 0; i < 50; i++) CHECK(find(*a, numbered(i), handle) == Found::kOk);
  }
}

TEST_CASE("names whose holders died do not fill the table for ever") {
  World world(tiny());
  auto a = world.join(1);
  Lane waker(*world.arena, 1, Thread::kWaker);
  for (int i = 0; i < 8; i++) {
    auto b = world.join(2);
    Handle handle;
    Granted granted;
    CHECK(find(*b, numbered(i), handle) == Found::kOk);
    CHECK(b->try_lock(on(handle), granted) == Answer::kOk);
    world.kill(2);
    CHECK(sweep(waker, 2));
  }
  Handle handle;
  CHECK(find(*a, u"new", handle) == Found::kOk);
}

TEST_CASE("without memory a new name is refused and a known one is found") {
  Capacity capacity = tiny();
  capacity.elements = 65536;  // so many that they do not share an extent with what is there from the start
  World world(capacity);
  auto a = world.join(1);
  Handle handle;
  world.host.backing = false;
  CHECK(find(*a, u"x", handle) == Found::kOutOfMemory);
  world.host.backing = true;
  CHECK(find(*a, u"x", handle) == Found::kOk);
  world.host.backing = false;
  CHECK(find(*a, u"x", handle) == Found::kOk);
}

TEST_CASE("a hash chain that leads out of the table or in a circle is reported") {
  World world(tiny());
  auto a = world.join(1);
  Handle handle;
  CHECK(find(*a, u"x", handle) == Found::kOk);
  Element& element = world.arena->element(handle.index);
  const auto corrupt = [&] {
    Handle other;
    try {
      for (int i = 0; i < 2000; i++) (void)find(*a, numbered(i % 3), other);
      for (char16_t c = 1; c < 500; c++) (void)find(*a, std::u16string(2, c), other);
    } catch (const Corrupt&) {
      return true;
    }
    return false;
  };
  const std::uint64_t sound = element.link.load();
  element.link.store(Link::moved(sound, 0x7ffffff0));
  CHECK(corrupt());
  element.link.store(Link::moved(sound, handle.index + 1));
  CHECK(corrupt());
}

TEST_MAIN()
