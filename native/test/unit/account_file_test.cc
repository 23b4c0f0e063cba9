#include "linux/account_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "check.h"

using namespace forelock::os;

namespace {

constexpr const char* kStat = "42 (a (b) c\n) S 1 2 3 4 5 6 70 8 90 10 11 12 x";
constexpr const char* kDevices =
    "Inter-|   Receive                       |  Transmit\n"
    " face |bytes    packets errs drop fifo |bytes    packets\n"
    "    lo: 7 8 0 0 0 9 1\n"
    "  eth0: 100 2 0 0 0 30 4\n"
    "  eth1:11 2 0 0 0 5 4\n";

double find(const char* text, int column, const char* key, bool or_zero = false) {
  return AccountFile::find(text, {column, key, 0, 1, or_zero});
}

// A file with what it is given; its name is gone at once, its descriptor is not.
struct Written {
  explicit Written(const std::string& text) {
    file = mkstemp(path);
    CHECK(write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  ~Written() {
    close(file);
    unlink(path);
  }
  char path[32] = "/tmp/account-XXXXXX";
  int file;
};

}  // namespace

TEST_CASE("a field is found by its place, and a command with blanks and parentheses is one") {
  CHECK_EQUAL(find(kStat, 1, ""), 42.0);
  CHECK_EQUAL(find(kStat, 4, ""), 1.0);
  CHECK_EQUAL(find(kStat, 10, ""), 70.0);
  CHECK_EQUAL(find("123\n", 1, ""), 123.0);
}

TEST_CASE("a number is found by the name before it, and all of that name are added") {
  CHECK_EQUAL(find("rchar: 5\nread_bytes: 7\ncancelled_write_bytes: 9\n", 0, "read_bytes"), 7.0);
  CHECK_EQUAL(find("8:0 rbytes=10 wbytes=2 rios=1\n8:16 rbytes=5 wbytes=3\n", 0, "rbytes"), 15.0);
  CHECK_EQUAL(find("8:0 Read 10\n8:0 Write 2\n8:16 Read 1\nTotal 13\n", 0, "Read"), 11.0);
  CHECK_EQUAL(find("total_pgfault 3\npgfault 2\n", 0, "pgfault"), 2.0);
  CHECK_EQUAL(find("MemTotal:       16 kB\n", 0, "MemTotal"), 16.0);
}

TEST_CASE("a column is found in the lines of a name, or in all others") {
  CHECK_EQUAL(find("some avg10=0.50 avg60=0.10 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n", 9, "full"), 5.0);
  CHECK_EQUAL(find("some avg10=0.50 avg60=0.10 avg300=0.00 total=77\n", 3, "some"), 0.5);
  CHECK_EQUAL(find("cpu  10 20 30\ncpu0 1 2 3\n", 3, "cpu"), 20.0);
  CHECK_EQUAL(find(kDevices, -2, "lo"), 111.0);
  CHECK_EQUAL(find(kDevices, -7, "lo"), 35.0);
}

TEST_CASE("what a text does not have is absent, and zero only where that says that there was none") {
  CHECK(std::isnan(find("", 1, "")));
  CHECK(std::isnan(find("S x", 1, "")));
  CHECK(std::isnan(find("12x", 1, "")));
  CHECK(std::isnan(find("nan inf", 1, "")));
  CHECK(std::isnan(find("1 2", 3, "")));
  CHECK(std::isnan(find("rbytes", 0, "rbytes")));
  CHECK(std::isnan(find("(((", 2, "")));
  CHECK(std::isnan(find("cpu 1\n", 5, "cpu")));
  CHECK_EQUAL(find("", 0, "rbytes", true), 0.0);
}

TEST_CASE("numbers of several files come together, times their factors, and one that is absent makes the sum absent") {
  const Written one("10 20");
  const Written two("a 4");
  const AccountFile first(one.path, {{1, "", kMemory, 2, false}, {2, "", kMemory, -1, false}, {9, "", kDiskRead, 1, false}});
  const AccountFile second(two.path, {{0, "a", kMemory, 100, false}, {0, "a", kDiskRead, 1, false}});
  double counters[kCounters] = {};
  counters[kMemory] = 999;
  for (const auto* file : {&first, &second}) file->begin(counters);
  CHECK(first.add_to(counters) && second.add_to(counters));
  CHECK_EQUAL(counters[kMemory], 400.0);
  CHECK(std::isnan(counters[kDiskRead]));
}

TEST_CASE("what is too long to be read whole is absent") {
  const Written file("a 1\n" + std::string(70000, 'x'));
  const AccountFile account(file.path, {{0, "a", kMemory, 1, true}});
  double counters[kCounters] = {};
  account.begin(counters);
  CHECK(account.add_to(counters));
  CHECK(std::isnan(counters[kMemory]));
}

TEST_CASE("a file that is not there is not open, and one that cannot be read says so") {
  CHECK(!AccountFile("/nowhere/at/all", {}).is_open());
  const AccountFile folder("/proc", {{1, "", kMemory, 1, true}});
  double counters[kCounters] = {};
  folder.begin(counters);
  CHECK(!folder.add_to(counters));
  CHECK(std::isnan(counters[kMemory]));
}

TEST_MAIN()
