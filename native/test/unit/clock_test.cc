// Of the clocks themselves nothing can be tested without a bound in time: here they are lists of readings.
#include "shm/clock.h"

#include <cstddef>
#include <vector>

#include "check.h"

using namespace forelock;
using core::Nanos;

namespace {

// A wall clock that is 1'000'000 ns ahead, and a machine on which each reading takes as long as the list says.
struct Machine {
  std::vector<Nanos> delays;  // before each reading; then always the last of them
  std::size_t at = 0;
  Nanos now = 5'000;

  Nanos monotonic() {
    now += delays[at < delays.size() ? at : delays.size() - 1];
    at++;
    return now;
  }
  Nanos wall() { return monotonic() + 1'000'000; }
  Nanos offset() {
    return shm::clock_offset([this] { return wall(); }, [this] { return monotonic(); });
  }
};

}  // namespace

TEST_CASE("the distance of two clocks is exact where their readings are equally far apart") {
  CHECK_EQUAL((Machine{{20}}.offset()), Nanos{1'000'000});
}

TEST_CASE("a stop between two readings does not shift one clock against the other") {
  constexpr Nanos kStop = 300'000'000;
  for (std::size_t stopped = 0; stopped < 12; stopped++) {
    std::vector<Nanos> delays(12, 20);
    delays[stopped] = kStop;
    CHECK_EQUAL((Machine{delays}.offset()), Nanos{1'000'000});
  }
}

TEST_CASE("of several pairs of readings the narrowest counts, and it is off by half of its width at most") {
  // The first of three reads is followed by one that takes long, in all pairs but the third; and that one is not even either.
  const Nanos got = Machine{{20, 9'000, 20, 20, 8'000, 20, 20, 50, 30, 20, 7'000, 20}}.offset();
  CHECK_EQUAL(got, Nanos{1'000'000 + 50 - 40});
}

TEST_CASE("a clock that is behind the other is ahead of it by less than nothing") {
  Nanos now = 1'000'000;
  const Nanos got = shm::clock_offset([&] { return ++now - 1'000; }, [&] { return ++now; });
  CHECK_EQUAL(static_cast<std::int64_t>(got), std::int64_t{-1'000});
}

TEST_MAIN()
