#include "core/telemetry.h"

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core/lane_reader.h"
#include "test/check.h"
#include "test/world.h"

using namespace forelock::core;
using namespace forelock::test;

namespace {

constexpr std::uint32_t kRecords = 64;

Capacity observed() {
  Capacity capacity = World::small();
  capacity.telemetry = kRecords;
  capacity.rows = 16;
  return capacity;
}

struct Scene {
  explicit Scene(Capacity capacity = observed()) : world(capacity) {}

  std::vector<Record> drain(LaneReader& reader, std::size_t most = 4096) {
    std::vector<unsigned char> bytes(most * kRecordBytes);
    const std::size_t count = reader.drain(bytes.data(), most);
    std::vector<Record> records(count);
    if (count != 0) std::memcpy(records.data(), bytes.data(), count * kRecordBytes);
    return records;
  }
  Granted take(Member& member, const Handle& handle, std::uint32_t tier = 1) {
    Granted granted;
    CHECK(member.try_fast(handle, tier, world.host.now(), granted) == Answer::kOk);
    return granted;
  }
  Granted wait(Member& member, const Handle& handle, std::uint32_t tier = 1, Nanos timeout = 0) {
    Request request;
    request.handle = handle;
    request.tier = tier;
    if (timeout != 0) request.deadline = world.host.time + timeout;
    Granted granted;
    CHECK(member.lock(request, granted) == Answer::kWait);
    return granted;
  }

  World world;
};

Record numbered(std::uint64_t number) {
  Record record;
  record.time = record.waited = record.held = number;
  record.element = record.generation = record.plan = static_cast<std::uint32_t>(number);
  record.names = {record.plan, record.plan, record.plan};
  record.amount = static_cast<double>(number);
  return record;
}

bool is_whole(const Record& record) {
  const auto low = static_cast<std::uint32_t>(record.time);
  return record.waited == record.time && record.held == record.time && record.element == low && record.generation == low &&
         record.plan == low && record.names.client == low && record.amount == static_cast<double>(record.time);
}

}  // namespace

TEST_CASE("nothing is recorded while nobody observes") {
  Scene s;
  auto member = s.world.join(1);
  LaneReader reader(*s.world.arena);
  const Handle handle = look_up(*member, u"x");
  CHECK(member->release_fast(handle.index, s.take(*member, handle).sequence));
  CHECK(s.drain(reader).empty());
  const auto& head = *reinterpret_cast<LaneHead*>(s.world.arena->telemetry_of(1));
  CHECK_EQUAL(head.records[0].head.load(), 0u);
}

TEST_CASE("a lock taken and given back leaves a grant and an end that says how long it was held") {
  Scene s;
  auto member = s.world.join(1);
  observe(*s.world.arena, 1, true);
  LaneReader reader(*s.world.arena);
  const Handle handle = look_up(*member, u"x");
  member->telemetry().asking = {7, 8, 9};
  const Granted granted = s.take(*member, handle, 2);
  member->telemetry().asking = {};
  s.world.host.time += 5'000;
  CHECK(member->release_fast(handle.index, granted.sequence));
  const auto records = s.drain(reader);
  CHECK_EQUAL(records.size(), 2u);
  CHECK(records[0].event == Event::kGrant && records[1].event == Event::kEnd);
  for (const Record& record : records) {
    CHECK_EQUAL(record.element, handle.index);
    CHECK_EQUAL(record.generation, handle.generation);
    CHECK_EQUAL(int{record.tier}, 2);
    CHECK_EQUAL(record.participant, 1);
    CHECK_EQUAL(record.incarnation, 1);
    CHECK_EQUAL(record.names.workflow, 7u);
    CHECK_EQUAL(record.names.tenant, 8u);
    CHECK_EQUAL(record.names.client, 9u);
    CHECK_EQUAL(record.waited, 0u);
  }
  CHECK_EQUAL(records[1].held, 5'000u);
  CHECK_EQUAL(records[1].time - records[0].time, 5'000u);
}

TEST_CASE("a wait leaves a request, and a grant that says how long it took and keeps who asked") {
  Scene s;
  auto holder = s.world.join(1);
  auto waiter = s.world.join(2);
  observe(*s.world.arena, 1, true);
  LaneReader reader(*s.world.arena);
  const Handle handle = look_up(*holder, u"x");
  const Granted granted = s.take(*holder, handle);
  waiter->telemetry().asking.workflow = 3;
  s.wait(*waiter, handle, 2);
  waiter->telemetry().asking = {};
  s.world.host.time += 7'000;
  CHECK(holder->release(handle.index, granted.sequence) == Answer::kOk);
  waiter->collect();
  CHECK(waiter->next_settled().outcome == Outcome::kGranted);
  const auto records = s.drain(reader);
  CHECK_EQUAL(records.size(), 4u);  // two of the holder, then two of the waiter
  CHECK(records[1].event == Event::kEnd && records[1].held == 7'000);
  CHECK(records[2].event == Event::kRequest && records[2].names.workflow == 3);
  CHECK(records[3].event == Event::kGrant && records[3].waited == 7'000 && records[3].names.workflow == 3);
  CHECK_EQUAL(int{records[3].tier}, 2);
}

TEST_CASE("refusals, timeouts and aborts say which of them they are") {
  Scene s;
  auto holder = s.world.join(1);
  auto other = s.world.join(2);
  observe(*s.world.arena, 2, true);
  const Handle handle = look_up(*holder, u"x");
  s.take(*holder, handle);
  LaneReader reader(*s.world.arena);
  Request request;
  request.handle = handle;
  Granted granted;
  CHECK(other->try_lock(request, granted) == Answer::kBusy);
  s.wait(*other, handle, 1, 1'000);
  const Granted second = s.wait(*other, handle);
  s.world.host.time += 2'000;
  other->expire();
  CHECK(other->abort(second.waiter) == Answer::kOk);
  std::vector<std::pair<Event, Ending>> seen;
  for (const Record& record : s.drain(reader)) {
    if (record.participant == 2) seen.emplace_back(record.event, record.outcome);
  }
  CHECK_EQUAL(seen.size(), 5u);
  CHECK(seen[0] == std::make_pair(Event::kRefusal, Ending::kBusy));
  CHECK(seen[3] == std::make_pair(Event::kRefusal, Ending::kTimedOut));
  CHECK(seen[4] == std::make_pair(Event::kAbort, Ending::kSuccess));
}

TEST_CASE("what the dead held is reclaimed with a record by whoever freed it") {
  Scene s;
  auto holder = s.world.join(1);
  auto heir = s.world.join(2);
  observe(*s.world.arena, 2, true);
  LaneReader reader(*s.world.arena);
  const Handle handle = look_up(*holder, u"x");
  s.take(*holder, handle);
  s.world.kill(1);
  Lane waker(*s.world.arena, 2, Thread::kWaker);
  CHECK(sweep(waker, 1));
  int reclaims = 0;
  for (const Record& record : s.drain(reader)) {
    if (record.event != Event::kReclaim) continue;
    reclaims++;
    CHECK(record.outcome == Ending::kDied);
    CHECK_EQUAL(record.participant, 1);
    CHECK_EQUAL(record.element, handle.index);
  }
  CHECK_EQUAL(reclaims, 1);
}

TEST_CASE("a grant older than the observation ends with what the arena knows of it") {
  Scene s;
  auto member = s.world.join(1);
  const Handle handle = look_up(*member, u"x");
  const Granted granted = s.take(*member, handle, 2);
  observe(*s.world.arena, 1, true);
  LaneReader reader(*s.world.arena);
  s.world.host.time += 100 * kNanosPerMilli;
  CHECK(member->release_fast(handle.index, granted.sequence));
  const auto records = s.drain(reader);
  CHECK_EQUAL(records.size(), 1u);
  CHECK((records[0].kind & Record::kCoarse) != 0);
  CHECK_EQUAL(int{records[0].tier}, 2);
  CHECK_EQUAL(records[0].held, 100 * kNanosPerMilli);
}

// ---- the ring ------------------------------------------------------------------------------------------------------

TEST_CASE("what overflows is lost oldest first, and counted to the record") {
  Scene s;
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  RecordRing ring(*s.world.arena, 1, Thread::kScript);
  LaneReader reader(*s.world.arena);
  for (std::uint64_t i = 0; i < kRecords + 10; i++) ring.write(numbered(i));
  const auto records = s.drain(reader);
  CHECK_EQUAL(records.size(), std::size_t{kRecords});
  CHECK_EQUAL(reader.lost(), 10u);
  CHECK_EQUAL(records.front().time, 10u);
  CHECK_EQUAL(records.back().time, kRecords + 9u);
  CHECK(s.drain(reader).empty());
  CHECK_EQUAL(reader.lost(), 10u);
}

TEST_CASE("a small buffer takes the records in several goes, in order and without loss") {
  Scene s;
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  RecordRing ring(*s.world.arena, 1, Thread::kScript);
  LaneReader reader(*s.world.arena);
  for (std::uint64_t i = 0; i < 10; i++) ring.write(numbered(i));
  std::uint64_t next = 0;
  for (int i = 0; i < 4; i++) {
    for (const Record& record : s.drain(reader, 3)) CHECK_EQUAL(record.time, next++);
  }
  CHECK_EQUAL(next, 10u);
  CHECK_EQUAL(reader.lost(), 0u);
}

TEST_CASE("the lane of a dead participant is read to its end, and goes on with the next incarnation") {
  Scene s;
  auto member = s.world.join(1);
  s.world.join(2);
  CHECK(back_lane(*s.world.arena, 1));
  LaneReader reader(*s.world.arena);
  RecordRing(*s.world.arena, 1, Thread::kScript).write(numbered(1));
  s.world.kill(1);
  Lane waker(*s.world.arena, 2, Thread::kWaker);
  CHECK(sweep(waker, 1));
  CHECK(s.world.join(1) != nullptr);
  RecordRing(*s.world.arena, 1, Thread::kScript).write(numbered(2));
  const auto records = s.drain(reader);
  CHECK_EQUAL(records.size(), 2u);
  CHECK_EQUAL(records[1].time, 2u);
}

TEST_CASE("while it is written to, a reader gets each record whole, once, in order, or counts it") {
  Scene s;
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  LaneReader reader(*s.world.arena);
  constexpr std::uint64_t kTotal = 200'000;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    RecordRing ring(*s.world.arena, 1, Thread::kScript);
    for (std::uint64_t i = 0; i < kTotal; i++) ring.write(numbered(i));
    done.store(true);
  });
  std::uint64_t seen = 0;
  std::uint64_t next = 0;
  bool good = true;
  const auto look = [&] {
    for (const Record& record : s.drain(reader, 50)) {
      good = good && is_whole(record) && record.time >= next;
      next = record.time + 1;
      seen++;
    }
  };
  while (!done.load()) look();
  writer.join();
  for (int i = 0; i < 4; i++) look();
  CHECK(good);
  CHECK_EQUAL(next, kTotal);
  CHECK_EQUAL(seen + reader.lost(), kTotal);
}

TEST_CASE("a record that its writer died over is not seen, nor is what it had begun to overwrite") {
  Scene s;
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  RecordRing ring(*s.world.arena, 1, Thread::kScript);
  LaneReader reader(*s.world.arena);
  for (std::uint64_t i = 0; i < kRecords; i++) ring.write(numbered(i));
  auto& head = *reinterpret_cast<LaneHead*>(s.world.arena->telemetry_of(1));
  head.records[0].claim.store(kRecords + 1);
  auto* words = reinterpret_cast<std::atomic<std::uint64_t>*>(s.world.arena->telemetry_of(1) + kPage);
  words[0].store(~0ull);  // half a record
  const auto records = s.drain(reader);
  CHECK_EQUAL(records.size(), kRecords - 1u);
  CHECK_EQUAL(reader.lost(), 1u);
  for (const Record& record : records) CHECK(is_whole(record));
  ring.write(numbered(kRecords));
  CHECK_EQUAL(s.drain(reader).size(), 1u);
  CHECK_EQUAL(reader.lost(), 1u);
}

TEST_CASE("positions of any value bound what is copied") {
  Scene s;
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  RecordRing ring(*s.world.arena, 1, Thread::kScript);
  auto& head = *reinterpret_cast<LaneHead*>(s.world.arena->telemetry_of(1));
  const std::uint64_t values[] = {0, 1, kRecords, kRecords + 1, 1ull << 40, ~0ull - 1, ~0ull};
  for (const std::uint64_t claim : values) {
    for (const std::uint64_t position : values) {
      LaneReader reader(*s.world.arena);
      ring.write(numbered(1));
      head.records[0].claim.store(claim);
      head.records[0].head.store(position);
      head.notes.head.store(position);
      head.notes.tail.store(claim);
      std::size_t copied = 0;
      for (int i = 0; i < 4; i++) copied += s.drain(reader).size();
      CHECK(copied <= kRecords);
      std::vector<unsigned char> bytes(1 << 16);
      for (int i = 0; i < 4; i++) CHECK(reader.drain_notes(bytes.data(), bytes.size()) <= bytes.size());
      NoteRing notes(*s.world.arena, 1);
      notes.write(1, 1, bytes.data(), 16);
      ring.write(numbered(2));
    }
  }
}

// ---- notes ---------------------------------------------------------------------------------------------------------

namespace {

struct Note {
  DrainedNote head;
  std::string bytes;
};

std::vector<Note> drain_notes(LaneReader& reader, std::size_t size = 1 << 16) {
  std::vector<unsigned char> bytes(size);
  const std::size_t count = reader.drain_notes(bytes.data(), size);
  std::vector<Note> notes;
  for (std::size_t at = 0; at < count;) {
    Note note;
    std::memcpy(&note.head, bytes.data() + at, sizeof note.head);
    note.bytes.assign(reinterpret_cast<char*>(bytes.data()) + at + sizeof note.head, note.head.length);
    at += sizeof note.head + (note.head.length + 7) / 8 * 8;
    notes.push_back(std::move(note));
  }
  return notes;
}

bool write_note(NoteRing& ring, std::uint32_t kind, const std::string& bytes) {
  return ring.write(kind, kind, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<std::uint32_t>(bytes.size()));
}

}  // namespace

TEST_CASE("notes of any length come out as they went in, with what was dropped counted") {
  Capacity capacity = observed();
  capacity.telemetry = 1024;  // 16 KiB of notes
  Scene s(capacity);
  auto member = s.world.join(3);
  CHECK(back_lane(*s.world.arena, 3));
  LaneReader reader(*s.world.arena);
  NoteRing ring(*s.world.arena, 3);
  CHECK(write_note(ring, 5, "abc"));
  CHECK(write_note(ring, 6, ""));
  CHECK(write_note(ring, 7, std::string(kNoteMaxBytes, 'x')));
  CHECK(!write_note(ring, 8, std::string(kNoteMaxBytes + 1, 'x')));
  auto notes = drain_notes(reader);
  CHECK_EQUAL(notes.size(), 3u);
  CHECK_EQUAL(notes[0].bytes, std::string("abc"));
  CHECK_EQUAL(notes[0].head.kind, 5u);
  CHECK_EQUAL(notes[0].head.participant, 3u);
  CHECK_EQUAL(notes[2].bytes.size(), std::size_t{kNoteMaxBytes});
  std::uint64_t written = 0;
  std::uint64_t seen = 0;
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < round; i++, written++) CHECK(write_note(ring, 1, std::string(static_cast<std::size_t>(i * 37 % 900), 'y')));
    for (const Note& note : drain_notes(reader, 8192)) {
      seen++;
      CHECK(note.bytes.find_first_not_of('y') == std::string::npos);
    }
  }
  for (int i = 0; i < 4; i++) seen += drain_notes(reader).size();
  CHECK_EQUAL(seen + reader.lost_notes(), written);
  CHECK(reader.lost_notes() != 0);
}

TEST_CASE("a reader that comes later counts only what is dropped from then on, over incarnations") {
  Scene s;  // 1 KiB of notes
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  {
    NoteRing ring(*s.world.arena, 1);
    for (int i = 0; i < 100; i++) CHECK(write_note(ring, 1, "0123456789"));
  }
  LaneReader reader(*s.world.arena);
  NoteRing ring(*s.world.arena, 1);
  for (std::uint32_t i = 0; i < 100; i++) CHECK(write_note(ring, i, "0123456789"));
  const auto notes = drain_notes(reader);
  CHECK_EQUAL(notes.size() + reader.lost_notes(), 100u);
  CHECK_EQUAL(notes.back().head.kind, 99u);
}

TEST_CASE("while notes are written, a reader gets each whole, once, or counts it") {
  Scene s;
  auto member = s.world.join(1);
  CHECK(back_lane(*s.world.arena, 1));
  LaneReader reader(*s.world.arena);
  constexpr std::uint32_t kTotal = 50'000;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    NoteRing ring(*s.world.arena, 1);
    for (std::uint32_t i = 0; i < kTotal; i++) write_note(ring, i, std::string(i % 61, static_cast<char>('a' + i % 26)));
    done.store(true);
  });
  std::uint64_t seen = 0;
  bool good = true;
  const auto look = [&] {
    for (const Note& note : drain_notes(reader, 512)) {
      seen++;
      good = good && note.bytes == std::string(note.head.kind % 61, static_cast<char>('a' + note.head.kind % 26));
    }
  };
  while (!done.load()) look();
  writer.join();
  for (int i = 0; i < 8; i++) look();
  CHECK(good);
  CHECK_EQUAL(seen + reader.lost_notes(), kTotal);
}

// ---- who observes --------------------------------------------------------------------------------------------------

TEST_CASE("observers are counted by who lives: one that died is gone with its sweep") {
  Scene s;
  auto a = s.world.join(1);
  auto b = s.world.join(2);
  CHECK(!a->telemetry().on());
  observe(*s.world.arena, 1, true);
  observe(*s.world.arena, 2, true);
  CHECK_EQUAL(observers(*s.world.arena), 2u);
  observe(*s.world.arena, 2, true);
  CHECK_EQUAL(observers(*s.world.arena), 2u);
  s.world.kill(2);
  Lane waker(*s.world.arena, 1, Thread::kWaker);
  CHECK(sweep(waker, 2));
  CHECK_EQUAL(observers(*s.world.arena), 1u);
  CHECK(s.world.join(2) != nullptr);
  CHECK_EQUAL(observers(*s.world.arena), 1u);
  observe(*s.world.arena, 1, false);
  CHECK(!a->telemetry().on());
}

TEST_CASE("an arena without lanes counts what it cannot record") {
  Capacity capacity = World::small();
  Scene s(capacity);
  auto member = s.world.join(1);
  observe(*s.world.arena, 1, true);
  LaneReader reader(*s.world.arena);
  const Handle handle = look_up(*member, u"x");
  CHECK(member->release_fast(handle.index, s.take(*member, handle).sequence));
  CHECK(s.drain(reader).empty());
  CHECK_EQUAL(s.world.counter(Counter::kRecordsLost), 2u);
}

TEST_MAIN()
