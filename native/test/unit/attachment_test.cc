#include "shm/attachment.h"

#include "check.h"
#include "desk.h"
#include "shm/error.h"

using namespace forelock;
using test::Desk;
using test::small;

TEST_CASE("a lock held by one who leaves passes on, and the next is told") {
  const auto region = shm::Region::make_private(small());
  Desk one(region->reopen()), two(region->reopen());
  core::Granted grant;
  CHECK(one.lock(one.find(u"a"), grant) == core::Answer::kOk);
  CHECK(two.lock(two.find(u"a"), grant) == core::Answer::kWait);
  one.leave();
  const core::Settled settled = two.settled();
  CHECK(settled.outcome == core::Outcome::kGranted);
  CHECK(settled.grant.owner_died);
}

TEST_CASE("places are taken up to the capacity, and one who leaves makes room") {
  const auto region = shm::Region::make_private(small());
  std::vector<std::unique_ptr<Desk>> desks;
  for (int i = 0; i < 4; i++) desks.push_back(std::make_unique<Desk>(region->reopen()));  // two of six are kept for clearing up
  std::string code;
  std::string option;
  try {
    Desk(region->reopen());
  } catch (const shm::OpenError& error) {
    code = error.code;
    option = error.option;
  }
  CHECK_EQUAL(code, "ERR_FORELOCK_CAPACITY");
  CHECK_EQUAL(option, "capacity.participants");
  const core::ParticipantId place = desks[2]->attachment().participant();
  const std::string client = desks[2]->attachment().client();
  desks[2].reset();
  Desk again(region->reopen());
  CHECK_EQUAL(again.attachment().participant(), place);
  CHECK(again.attachment().client() != client);
}

TEST_CASE("an arena whose capacity changes between its check and its use is refused") {
  const auto region = shm::Region::make_private(small());
  region->header().capacity.elements = 32;
  std::string code;
  try {
    Desk(region->reopen());
  } catch (const shm::OpenError& error) {
    code = error.code;
  }
  CHECK_EQUAL(code, "ERR_FORELOCK_CORRUPT");
}

TEST_CASE("a virtual clock moves from one deadline to the next") {
  shm::Wanted wanted = small();
  wanted.is_virtual = true;
  const auto region = shm::Region::make_private(wanted);
  Desk one(region->reopen());
  const core::Handle handle = one.find(u"a");
  core::Granted grant;
  CHECK(one.lock(handle, grant) == core::Answer::kOk);
  core::Request request;
  request.handle = handle;
  request.deadline = one.attachment().now() + 5 * core::kNanosPerMilli;
  CHECK(one.member().lock(request, grant) == core::Answer::kWait);
  one.attachment().advance(4 * core::kNanosPerMilli);
  CHECK(!one.member().has_settled());
  one.attachment().advance(1 * core::kNanosPerMilli);
  CHECK(one.settled().outcome == core::Outcome::kTimedOut);
}

TEST_MAIN()
