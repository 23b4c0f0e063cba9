#include "shm/region.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>

#include "check.h"
#include "shm/error.h"
#include "shm/liveness.h"
#include "temporary_folder.h"

using namespace forelock;
using shm::Region;
using shm::Wanted;
using test::TemporaryFolder;

namespace {

Wanted small() {
  Wanted wanted;
  wanted.elements = 64;
  wanted.slots = 128;
  wanted.participants = 8;
  wanted.texts = 16;
  return wanted;
}

template <typename Call>
std::string code_of(Call call) {
  try {
    call();
  } catch (const shm::OpenError& error) {
    return error.code;
  }
  return "none";
}

// Overwrites bytes of a sound arena that nobody has open, then opens it.
template <typename T>
std::string opened_with(std::size_t offset, T value) {
  TemporaryFolder folder;
  Region::open_named(folder.path(), "x", small());
  const int fd = open(folder.file("x").c_str(), O_RDWR);
  CHECK(pwrite(fd, &value, sizeof value, static_cast<off_t>(offset)) == static_cast<ssize_t>(sizeof value));
  close(fd);
  return code_of([&] { Region::open_named(folder.path(), "x", small()); });
}

}  // namespace

TEST_CASE("two who open the same name share one arena") {
  TemporaryFolder folder;
  const auto one = Region::open_named(folder.path(), "x", small());
  const auto two = Region::open_named(folder.path(), "x", small());
  CHECK_EQUAL(one->header().identity[0], two->header().identity[0]);
  one->header().virtual_now.store(77);
  CHECK_EQUAL(two->header().virtual_now.load(), 77u);
}

TEST_CASE("a header with one field wrong is refused with the code of that field") {
  CHECK_EQUAL(opened_with(offsetof(core::Header, magic), std::uint64_t{1}), "ERR_FORELOCK_CORRUPT");
  CHECK_EQUAL(opened_with(offsetof(core::Header, format), std::uint32_t{9}), "ERR_FORELOCK_VERSION");
  CHECK_EQUAL(opened_with(offsetof(core::Header, signature), std::uint64_t{9}), "ERR_FORELOCK_VERSION");
  CHECK_EQUAL(opened_with(offsetof(core::Header, header_bytes), std::uint32_t{9}), "ERR_FORELOCK_VERSION");
  CHECK_EQUAL(opened_with(offsetof(core::Header, size), std::uint64_t{9}), "ERR_FORELOCK_CORRUPT");
  CHECK_EQUAL(opened_with(offsetof(core::Header, capacity), std::uint32_t{0xffffffff}), "ERR_FORELOCK_CORRUPT");
  CHECK_EQUAL(opened_with(offsetof(core::Header, tier_count), std::uint32_t{5}), "ERR_FORELOCK_CORRUPT");
  CHECK_EQUAL(opened_with(offsetof(core::Header, time_namespace), std::uint64_t{5}), "ERR_FORELOCK_VERSION");
  CHECK_EQUAL(opened_with(offsetof(core::Header, retired), shm::kDamaged), "ERR_FORELOCK_CORRUPT");
}

TEST_CASE("an arena of another boot, or half unlinked, is made anew") {
  CHECK_EQUAL(opened_with(offsetof(core::Header, boot_id), std::uint64_t{1}), "none");
  CHECK_EQUAL(opened_with(offsetof(core::Header, retired), shm::kUnlinked), "none");
}

TEST_CASE("a mismatch of options is refused with both values, unless it is tunable and wanted") {
  TemporaryFolder folder;
  const auto first = Region::open_named(folder.path(), "x", small());
  Wanted other = small();
  other.elements = 65;
  try {
    Region::open_named(folder.path(), "x", other);
    CHECK(false);
  } catch (const shm::OpenError& error) {
    CHECK_EQUAL(error.code, "ERR_FORELOCK_CONFIG");
    CHECK_EQUAL(error.option, "capacity.elements");
    CHECK_EQUAL(error.stored, "64");
    CHECK_EQUAL(error.given, "65");
  }
  Wanted slower = small();
  slower.ageing_ms = 5;
  CHECK_EQUAL(code_of([&] { Region::open_named(folder.path(), "x", slower); }), "ERR_FORELOCK_CONFIG");
  slower.update = true;
  Region::open_named(folder.path(), "x", slower);
  CHECK_EQUAL(first->header().ageing.load(), 5 * core::kNanosPerMilli);
}

TEST_CASE("an arena that others may write, or that is a link, is refused") {
  TemporaryFolder folder;
  Region::open_named(folder.path(), "x", small());
  CHECK(symlink(folder.file("x").c_str(), folder.file("link").c_str()) == 0);
  CHECK_EQUAL(code_of([&] { Region::open_named(folder.path(), "link", small()); }), "ERR_FORELOCK_OWNER");
  CHECK(chmod(folder.file("x").c_str(), 0666) == 0);
  CHECK_EQUAL(code_of([&] { Region::open_named(folder.path(), "x", small()); }), "ERR_FORELOCK_OWNER");
}

TEST_CASE("capacities whose extents one page of bits cannot name are refused") {
  Wanted huge;
  huge.elements = core::kMaxElements;
  huge.participants = core::kMaxParticipants;
  CHECK_EQUAL(code_of([&] { Region::make_private(huge); }), "ERR_FORELOCK_ARGUMENT");
}

TEST_CASE("unlink refuses while a byte is taken, retires the arena, and removes no other file of that name") {
  TemporaryFolder folder;
  const auto old = Region::open_named(folder.path(), "x", small());
  CHECK(shm::take_byte(old->descriptor(), 1));
  CHECK_EQUAL(code_of([&] { Region::unlink(folder.path(), "x", false); }), "ERR_FORELOCK_IN_USE");
  CHECK_EQUAL(old->header().retired.load(), 0u);
  CHECK(Region::unlink(folder.path(), "x", true));
  CHECK_EQUAL(old->header().retired.load(), shm::kUnlinked);
  CHECK(old->is_unlinked());
  CHECK(!Region::unlink(folder.path(), "x", true));
  const auto fresh = Region::open_named(folder.path(), "x", small());
  CHECK(!fresh->is_unlinked());
  CHECK(fresh->header().token_floor.load() > old->header().token_floor.load());
}

TEST_CASE("a private arena is sealed against a change of its size, and its second mapping is the same memory") {
  const auto region = Region::make_private(small());
  CHECK(ftruncate(region->descriptor(), 0) != 0);
  CHECK(ftruncate(region->descriptor(), static_cast<off_t>(region->size() * 2)) != 0);
  const auto again = region->reopen();
  region->header().virtual_now.store(5);
  CHECK_EQUAL(again->header().virtual_now.load(), 5u);
}

TEST_MAIN()
