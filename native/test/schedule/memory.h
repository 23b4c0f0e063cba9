// Memory with release/acquire semantics: what the model threads may read and what reading teaches them.
//
// Each atomic location ("cell") keeps the messages written to it, in modification order. Each thread has a view: the
// oldest message of each cell that it may still read. A load may return any message that is not older; an acquire load
// of a released message joins the view the message carries. A read-modify-write reads the message right before its own
// and hands that one's view on (the release sequence). This is the view semantics of Kang, Hur, Lahav, Vafeiadis,
// Dreyer: A Promising Semantics for Relaxed-Memory Concurrency (POPL 2017), without promises, which is RC11 (Lahav,
// Vafeiadis, Kang, Hur, Dreyer: Repairing Sequential Consistency in C/C++11, PLDI 2017) but for what README.md lists.
//
// Plain fields have one value each; vector clocks travel along with the views and find races.
//
// Everything is kept canonical, so that two states in which the same things can still happen compare equal: messages
// that no thread can read are dropped and positions counted from the oldest that remains; of clocks only the order
// relative to accesses that can still race counts.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace scheduled {

inline constexpr int kMaxThreads = 6;
inline constexpr int kMaxCells = 192;
inline constexpr int kMaxPlains = 512;
inline constexpr int kMaxMessages = 512;
inline constexpr int kMaxViews = 256;

[[noreturn]] inline void give_up(const char* what) {
  std::fprintf(stderr, "scheduler: %s\n", what);
  std::abort();
}

inline constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h ^= v + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
  h *= 0xff51afd7ed558ccdull;
  return h ^ (h >> 32);
}

struct View {
  std::uint8_t at[kMaxCells];        // position in the cell's messages, 0 the oldest that is kept
  std::uint16_t clock[kMaxThreads];  // how much of each thread's plain accesses is known
  std::uint16_t padding[2];
};
static_assert(sizeof(View) % 8 == 0 && kMaxCells % 8 == 0);

struct Message {
  std::uint64_t value;
  std::uint16_t older;
  std::uint8_t view;      // what an acquire load learns: index of a View, 0 nothing
  std::uint8_t attached;  // written by a read-modify-write: nothing may come between it and the older one
};

struct Cell {
  std::uint16_t newest;
  std::uint8_t count;
  std::uint8_t sc;  // no seq_cst load returns a message older than this
};

struct PlainCell {
  std::uint64_t value;
  std::uint8_t writer;  // kNobody: everybody knows the last write
  std::uint8_t live;    // some access may still race
  std::uint16_t written;
  std::uint16_t read[kMaxThreads];
};
inline constexpr std::uint8_t kNobody = 0xff;

// All that must be put back to return to an earlier state. Only the used parts of the arrays are copied.
struct MemoryState {
  std::uint16_t cells;
  std::uint16_t plains;
  std::uint16_t messages;  // high-water mark of indices
  std::uint16_t views;     // same
  std::uint32_t active;    // threads that may still read, as a mask
  std::uint32_t released;  // threads whose clock has been handed out since it last grew
  std::uint64_t message_used[kMaxMessages / 64];
  std::uint64_t view_used[kMaxViews / 64];
  View thread[kMaxThreads];
  Cell cell[kMaxCells];
  Message message[kMaxMessages];
  View view[kMaxViews];
  PlainCell plain[kMaxPlains];
};

class Memory {
 public:
  // sequential: every load returns the newest message (plain sequential consistency), for larger configurations.
  void reset(int threads, bool sequential) {
    std::memset(&s_, 0, sizeof s_);
    threads_ = threads;
    sequential_ = sequential;
    s_.message_used[0] = s_.view_used[0] = 1;  // index 0 means none
    s_.messages = s_.views = 1;
    for (int t = 0; t < threads; t++) s_.thread[t].clock[t] = 1;
    for (std::size_t c = 0; c < cell_initial_.size(); c++) add_cell();
    for (std::size_t p = 0; p < plain_initial_.size(); p++) add_plain();
  }
  void forget_locations() {
    cell_initial_.clear();
    ordered_.clear();
    plain_initial_.clear();
  }

  // A cell whose accesses are all ordered needs no history: nobody could read it.
  int new_cell(std::uint64_t initial, bool is_ordered) {
    cell_initial_.push_back(initial);
    ordered_.push_back(is_ordered);
    add_cell();
    return s_.cells - 1;
  }
  int new_plain(std::uint64_t initial) {
    plain_initial_.push_back(initial);
    add_plain();
    return s_.plains - 1;
  }

  // ---- threads ----
  void activate(int t) { s_.active |= 1u << t; }
  // A thread that starts later and learns what another one knew at its end.
  void activate_after(int t, int ended) {
    View& v = s_.thread[t];
    const std::uint16_t own = v.clock[t];
    v = s_.thread[ended];
    v.clock[t] = own;
    activate(t);
  }
  void retire(int t) {
    s_.active &= ~(1u << t);
    for (int c = 0; c < s_.cells; c++) trim(c);
  }

  // ---- atomic accesses ----
  // How many messages the thread may read, newest first.
  int readable(int t, int c, bool seq_cst) const {
    const Cell& cell = s_.cell[c];
    int oldest = s_.thread[t].at[c];
    if (seq_cst && cell.sc > oldest) oldest = cell.sc;
    return cell.count - oldest;
  }
  std::uint64_t value(int c, int age) const { return s_.message[find(c, age)].value; }
  // Whether a message may be placed so that `age` messages stay newer than it.
  bool has_room(int c, int age) const { return age == 0 || !s_.message[find(c, age - 1)].attached; }

  std::uint64_t read(int t, int c, int age, bool acquire) {
    const Message& m = s_.message[find(c, age)];
    View& mine = s_.thread[t];
    mine.at[c] = static_cast<std::uint8_t>(s_.cell[c].count - 1 - age);
    if (acquire && m.view != 0) join(mine, s_.view[m.view]);
    trim(c);
    return m.value;
  }

  void write(int t, int c, int age, std::uint64_t value, bool release, bool seq_cst) {
    place(t, c, age, value, release, seq_cst, 0, false);
  }
  // Reads the message of that age and puts the new one right after it.
  void update(int t, int c, int age, std::uint64_t value, bool acquire, bool release, bool seq_cst) {
    const Message& before = s_.message[find(c, age)];
    if (acquire && before.view != 0) join(s_.thread[t], s_.view[before.view]);
    place(t, c, age, value, release, seq_cst, before.view, true);
  }

  // ---- plain accesses: false is a race ----
  bool get(int t, int p, std::uint64_t& value) {
    PlainCell& cell = s_.plain[p];
    value = cell.value;
    if (unknown_write(t, cell)) return false;
    cell.read[t] = stamp(t);
    cell.live = 1;
    return true;
  }
  bool set(int t, int p, std::uint64_t value) {
    PlainCell& cell = s_.plain[p];
    if (unknown_write(t, cell)) return false;
    for (int u = 0; u < threads_; u++) {
      if (u != t && cell.read[u] > s_.thread[t].clock[u]) return false;
      cell.read[u] = 0;
    }
    cell.value = value;
    cell.writer = static_cast<std::uint8_t>(t);
    cell.written = stamp(t);
    cell.live = 1;
    return true;
  }
  std::uint64_t plain_value(int p) const { return s_.plain[p].value; }
  void poke(int p, std::uint64_t value) { s_.plain[p].value = value; }

  int cells() const { return s_.cells; }
  int plains() const { return s_.plains; }

  // ---- states ----
  void save(std::vector<unsigned char>& to) const {
    put(to, &s_, offsetof(MemoryState, thread));
    put(to, s_.thread, sizeof(View) * static_cast<std::size_t>(threads_));
    put(to, s_.cell, sizeof(Cell) * s_.cells);
    put(to, s_.message, sizeof(Message) * s_.messages);
    put(to, s_.view, sizeof(View) * s_.views);
    put(to, s_.plain, sizeof(PlainCell) * s_.plains);
  }
  const unsigned char* load(const unsigned char* from) {
    from = take(from, &s_, offsetof(MemoryState, thread));
    from = take(from, s_.thread, sizeof(View) * static_cast<std::size_t>(threads_));
    from = take(from, s_.cell, sizeof(Cell) * s_.cells);
    from = take(from, s_.message, sizeof(Message) * s_.messages);
    from = take(from, s_.view, sizeof(View) * s_.views);
    from = take(from, s_.plain, sizeof(PlainCell) * s_.plains);
    // Locations first met after that state was saved: as they were.
    while (s_.cells < cell_initial_.size()) {
      for (int t = 0; t < threads_; t++) s_.thread[t].at[s_.cells] = 0;
      for (int v = 1; v < s_.views; v++) s_.view[v].at[s_.cells] = 0;
      add_cell();
    }
    while (s_.plains < plain_initial_.size()) add_plain();
    return from;
  }

  // ignored: plain locations that tell nothing about the future (statistics).
  std::uint64_t hash(const std::vector<std::uint8_t>& ignored) {
    forget_settled_accesses();
    std::uint64_t view_hash[kMaxViews];
    view_hash[0] = 0;
    for (int v = 1; v < s_.views; v++) {
      if (used(s_.view_used, v)) view_hash[v] = hash_of(s_.view[v], -1);
    }
    std::uint64_t sum = s_.active;
    for (int c = 0; c < s_.cells; c++) {
      const Cell& cell = s_.cell[c];
      if (cell.count == 1) {
        const Message& only = s_.message[cell.newest];
        const std::uint64_t view = view_hash[only.view];
        if (only.value == cell_initial_[static_cast<std::size_t>(c)] && view == 0) continue;
        sum += mix(mix(static_cast<std::uint64_t>(c) + 1, only.value), view);
        continue;
      }
      std::uint64_t h = mix(static_cast<std::uint64_t>(c) + 1, cell.sc + 256u);
      for (int m = cell.newest; m != 0; m = s_.message[m].older) {
        h = mix(mix(h, s_.message[m].value), view_hash[s_.message[m].view] * 2 + (s_.message[m].older ? s_.message[m].attached : 0));
      }
      sum += h;
    }
    for (int p = 0; p < s_.plains; p++) {
      const PlainCell& cell = s_.plain[p];
      if (ignored[static_cast<std::size_t>(p)]) continue;
      if (!cell.live && cell.value == plain_initial_[static_cast<std::size_t>(p)]) continue;
      std::uint64_t h = mix(0x1000u + static_cast<std::uint64_t>(p), cell.value);
      if (cell.live) {
        if (cell.writer != kNobody) h = mix(h, 0x10000u * (cell.writer + 1u) + rank(cell.writer, cell.written));
        for (int t = 0; t < threads_; t++) {
          if (cell.read[t] != 0) h = mix(h, 0x1000000u * (static_cast<unsigned>(t) + 1u) + rank(t, cell.read[t]));
        }
      }
      sum += h;
    }
    for (int t = 0; t < threads_; t++) {
      if (s_.active & (1u << t)) sum += mix(0x2000u + static_cast<std::uint64_t>(t), hash_of(s_.thread[t], t));
    }
    return sum;
  }

 private:
  static bool used(const std::uint64_t* map, int i) { return (map[i / 64] >> (i % 64)) & 1; }
  static int allocate(std::uint64_t* map, int words, std::uint16_t& high) {
    for (int w = 0; w < words; w++) {
      if (~map[w] == 0) continue;
      const int i = w * 64 + __builtin_ctzll(~map[w]);
      map[w] |= 1ull << (i % 64);
      if (i >= high) high = static_cast<std::uint16_t>(i + 1);
      return i;
    }
    give_up("too many live messages or views: raise kMaxMessages, kMaxViews");
  }
  static void free_index(std::uint64_t* map, int i) { map[i / 64] &= ~(1ull << (i % 64)); }

  static void put(std::vector<unsigned char>& to, const void* from, std::size_t bytes) {
    const std::size_t at = to.size();
    to.resize(at + bytes);
    std::memcpy(to.data() + at, from, bytes);
  }
  static const unsigned char* take(const unsigned char* from, void* to, std::size_t bytes) {
    std::memcpy(to, from, bytes);
    return from + bytes;
  }

  void add_cell() {
    if (s_.cells == kMaxCells) give_up("too many atomic locations: raise kMaxCells");
    const int m = allocate(s_.message_used, kMaxMessages / 64, s_.messages);
    s_.message[m] = {cell_initial_[s_.cells], 0, 0, 0};
    s_.cell[s_.cells++] = {static_cast<std::uint16_t>(m), 1, 0};
  }
  void add_plain() {
    if (s_.plains == kMaxPlains) give_up("too many plain locations: raise kMaxPlains");
    PlainCell& cell = s_.plain[s_.plains];
    cell = {};
    cell.value = plain_initial_[s_.plains++];
    cell.writer = kNobody;
  }

  int find(int c, int age) const {
    int m = s_.cell[c].newest;
    while (age-- > 0) m = s_.message[m].older;
    return m;
  }

  void join(View& into, const View& from) const {
    for (int c = 0; c < s_.cells; c++) {
      if (from.at[c] > into.at[c]) into.at[c] = from.at[c];
    }
    for (int t = 0; t < threads_; t++) {
      if (from.clock[t] > into.clock[t]) into.clock[t] = from.clock[t];
    }
    // Cells that a join moved are trimmed by the next hash.
    untrimmed_ = true;
  }

  int new_view(const View& from) {
    const int v = allocate(s_.view_used, kMaxViews / 64, s_.views);
    s_.view[v] = from;
    return v;
  }
  void drop_view(int v) {
    if (v != 0) free_index(s_.view_used, v);
  }

  void place(int t, int c, int age, std::uint64_t value, bool release, bool seq_cst, int handed_on, bool attached) {
    Cell& cell = s_.cell[c];
    View& mine = s_.thread[t];
    View carried{};
    bool carries = false;
    if (handed_on != 0) {
      carried = s_.view[handed_on];
      carries = true;
    }
    if (sequential_ || ordered_[static_cast<std::size_t>(c)]) {
      drop_view(s_.message[cell.newest].view);
      s_.message[cell.newest].view = 0;
      s_.message[cell.newest].value = value;
    } else {
      insert(c, age, value, attached);
      mine.at[c] = static_cast<std::uint8_t>(cell.count - 1 - age);
      if (seq_cst && mine.at[c] > cell.sc) cell.sc = mine.at[c];
      // The shift made room in all kept views, but not in the copy.
      if (carries) {
        if (carried.at[c] >= mine.at[c]) carried.at[c]++;
      }
    }
    if (release) {
      join(carried, mine);
      carries = true;
      s_.released |= 1u << t;
    }
    if (carries) s_.message[find(c, age)].view = static_cast<std::uint8_t>(new_view(carried));
    trim(c);
  }

  void insert(int c, int age, std::uint64_t value, bool attached) {
    Cell& cell = s_.cell[c];
    if (cell.count == 255) give_up("more than 255 unread messages in one location");
    const int m = allocate(s_.message_used, kMaxMessages / 64, s_.messages);
    const int at = cell.count - age;  // its position
    if (age == 0) {
      s_.message[m] = {value, cell.newest, 0, attached};
      cell.newest = static_cast<std::uint16_t>(m);
    } else {
      Message& newer = s_.message[find(c, age - 1)];
      s_.message[m] = {value, newer.older, 0, attached};
      newer.older = static_cast<std::uint16_t>(m);
      for (int u = 0; u < threads_; u++) shift(s_.thread[u].at[c], at);
      for (int v = 1; v < s_.views; v++) shift(s_.view[v].at[c], at);
      shift(cell.sc, at);
    }
    cell.count++;
  }
  static void shift(std::uint8_t& position, int from) {
    if (position >= from) position++;
  }

  // Drops the messages that nobody can read any more.
  void trim(int c) {
    Cell& cell = s_.cell[c];
    if (cell.count == 1 || s_.active == 0) return;
    int base = 255;
    for (int t = 0; t < threads_; t++) {
      if ((s_.active & (1u << t)) && s_.thread[t].at[c] < base) base = s_.thread[t].at[c];
    }
    if (base == 0) return;
    int last = find(c, cell.count - 1 - base);
    for (int m = s_.message[last].older; m != 0; m = s_.message[m].older) {
      drop_view(s_.message[m].view);
      free_index(s_.message_used, m);
    }
    s_.message[last].older = 0;
    cell.count = static_cast<std::uint8_t>(cell.count - base);
    for (int t = 0; t < threads_; t++) lower(s_.thread[t].at[c], base);
    for (int v = 1; v < s_.views; v++) lower(s_.view[v].at[c], base);
    lower(cell.sc, base);
  }
  static void lower(std::uint8_t& position, int base) { position = static_cast<std::uint8_t>(position > base ? position - base : 0); }

  bool unknown_write(int t, const PlainCell& cell) const {
    return cell.writer != kNobody && cell.writer != t && cell.written > s_.thread[t].clock[cell.writer];
  }
  // The clock grows lazily: only if it was handed out since the last plain access.
  std::uint16_t stamp(int t) {
    if (s_.released & (1u << t)) {
      s_.released &= ~(1u << t);
      s_.thread[t].clock[t]++;
    }
    return s_.thread[t].clock[t];
  }

  bool known_to_all(int owner, std::uint16_t at) const {
    for (int t = 0; t < threads_; t++) {
      if (t != owner && (s_.active & (1u << t)) && s_.thread[t].clock[owner] < at) return false;
    }
    return true;
  }
  // Accesses that everybody knows of cannot race; of the others the order is what counts (rank). Messages that nobody
  // can read and views that teach nobody anything are dropped on the way.
  void forget_settled_accesses() {
    if (untrimmed_) {
      for (int c = 0; c < s_.cells; c++) trim(c);
      untrimmed_ = false;
    }
    for (auto& stamps : live_stamps_) stamps.clear();
    for (int p = 0; p < s_.plains; p++) {
      PlainCell& cell = s_.plain[p];
      if (!cell.live) continue;
      bool live = false;
      if (cell.writer != kNobody) {
        if (known_to_all(cell.writer, cell.written)) {
          cell.writer = kNobody;
        } else {
          live = true;
          note_live(cell.writer, cell.written);
        }
      }
      for (int t = 0; t < threads_; t++) {
        if (cell.read[t] == 0) continue;
        if (known_to_all(t, cell.read[t])) {
          cell.read[t] = 0;
        } else {
          live = true;
          note_live(t, cell.read[t]);
        }
      }
      cell.live = live;
    }
  }
  void note_live(int t, std::uint16_t at) {
    auto& stamps = live_stamps_[t];
    std::size_t i = 0;
    while (i < stamps.size() && stamps[i] < at) i++;
    if (i == stamps.size() || stamps[i] != at) stamps.insert(stamps.begin() + static_cast<std::ptrdiff_t>(i), at);
  }
  unsigned rank(int t, std::uint16_t clock) const {
    unsigned n = 0;
    for (std::uint16_t at : live_stamps_[t]) n += at <= clock;
    return n;
  }

  // 0 for a view that teaches nothing. Its owner's own clock says nothing about the future.
  std::uint64_t hash_of(const View& view, int owner) const {
    std::uint64_t sum = 0;
    for (int w = 0; w * 8 < s_.cells; w++) {
      std::uint64_t word;
      std::memcpy(&word, view.at + w * 8, 8);
      if (word != 0) sum += mix(static_cast<std::uint64_t>(w) + 1, word);
    }
    for (int t = 0; t < threads_; t++) {
      if (t == owner || live_stamps_[t].empty()) continue;
      const unsigned known = rank(t, view.clock[t]);
      if (known != 0) sum += mix(0x3000u + static_cast<std::uint64_t>(t), known);
    }
    return sum;
  }

  MemoryState s_;
  int threads_ = 0;
  bool sequential_ = false;
  mutable bool untrimmed_ = false;
  std::vector<std::uint64_t> cell_initial_;
  std::vector<std::uint8_t> ordered_;
  std::vector<std::uint64_t> plain_initial_;
  std::vector<std::uint16_t> live_stamps_[kMaxThreads];
};

}  // namespace scheduled
