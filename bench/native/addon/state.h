#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "lines.h"
#include "napi.h"
#include "ring.h"

namespace floors {

// 64 words, a cache line each, in a file that several processes map.
struct alignas(64) Word {
  std::atomic<std::uint32_t> value;
};
inline constexpr std::uint32_t kWords = 64;

struct State {
  Word own{};                 // of this environment alone
  Word observers{}, plans{};  // always 0, which the compiler does not know
  std::unique_ptr<Lines> lines;
  Word* shared = nullptr;
  Word* chosen = nullptr;  // the shared word that cas_shared, listen and ring use
  std::unique_ptr<Listener> listener;
  ~State();
};

}  // namespace floors
