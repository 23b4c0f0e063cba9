#include "bind/arrivals.h"

#include <cmath>
#include <memory>
#include <vector>

#include "bind/arguments.h"
#include "predict/arrivals.h"

namespace forelock::bind {

namespace {

constexpr std::uint32_t kMostKeys = 10'000'000;
// So many requests ahead a key is looked up, and then what is known of it.
constexpr std::size_t kNear = 8;
constexpr std::size_t kNearer = 4;

// What the functions of one object share; it goes with the last of them.
struct Held {
  explicit Held(const predict::Arrivals::Options& options) : of(options) {}
  predict::Arrivals of;
  int functions = 0;
};

void forget(napi_env, void* data, void*) {
  auto* held = static_cast<Held*>(data);
  if (--held->functions == 0) delete held;
}

// A key is two words.
std::uint64_t key_at(std::span<const std::uint32_t> words, std::size_t i) {
  return words[2 * i] | (static_cast<std::uint64_t>(words[2 * i + 1]) << 32);
}

napi_value count_of(napi_env env, std::size_t count) { return number(env, static_cast<double>(count)); }

// (keys, times, tiers, clients, runs, count)
napi_value arrived(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto keys = arguments.words(0);
  const auto times = arguments.doubles(1);
  const auto tiers = arguments.bytes(2);
  const auto clients = arguments.words(3);
  const auto runs = arguments.words(4);
  const double count = arguments.number(5);
  arguments.must(count >= 0 && 2 * count <= static_cast<double>(keys.size()) && count <= static_cast<double>(times.size()) &&
                 count <= static_cast<double>(tiers.size()) && count <= static_cast<double>(clients.size()) &&
                 count <= static_cast<double>(runs.size()));
  return answer(env, arguments, "arrived(keys, times, tiers, clients, runs, count)", [&]() -> napi_value {
    predict::Arrivals& of = arguments.of<Held>().of;
    const auto all = static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < all; i++) {
      if (i + kNear < all) of.near(key_at(keys, i + kNear));
      if (i + kNearer < all) of.nearer(key_at(keys, i + kNearer));
      if (std::isfinite(times[i])) of.arrived(key_at(keys, i), times[i], tiers[i], clients[i], runs[i]);
    }
    return nullptr;
  });
}

// (now)
napi_value advance(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const double now = arguments.number(0);
  arguments.must(std::isfinite(now));
  return answer(env, arguments, "advance(now)", [&]() -> napi_value {
    arguments.of<Held>().of.advance(now);
    return nullptr;
  });
}

// (keys, now, tier, scores)
napi_value score(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto keys = arguments.words(0);
  const double now = arguments.number(1);
  const auto tier = arguments.count(2, predict::kArrivalTiers - 1);
  const auto out = arguments.doubles(3);
  arguments.must(std::isfinite(now) && keys.size() == 2 * out.size());
  return answer(env, arguments, "score(keys, now, tier, scores)", [&]() -> napi_value {
    predict::Arrivals& of = arguments.of<Held>().of;
    for (std::size_t i = 0; i < out.size(); i++) out[i] = tier == 0 ? of.score(key_at(keys, i), now) : of.score(key_at(keys, i), now, tier);
    return nullptr;
  });
}

// (now, least, idle, keys, scores): how many
napi_value likely(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const double now = arguments.number(0);
  const double least = arguments.number(1);
  const double idle = arguments.number(2);
  const auto keys = arguments.words(3);
  const auto scores = arguments.doubles(4);
  arguments.must(std::isfinite(now) && std::isfinite(idle) && keys.size() == 2 * scores.size());
  return answer(env, arguments, "likely(now, least, idle, keys, scores)", [&] {
    std::vector<predict::Arrivals::Likely> found(scores.size());
    const std::size_t count = arguments.of<Held>().of.likely(now, least, found, idle);
    for (std::size_t i = 0; i < count; i++) {
      keys[2 * i] = static_cast<std::uint32_t>(found[i].key);
      keys[2 * i + 1] = static_cast<std::uint32_t>(found[i].key >> 32);
      scores[i] = found[i].score;
    }
    return count_of(env, count);
  });
}

napi_value tracked(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  return answer(env, arguments, "tracked()", [&] { return count_of(env, arguments.of<Held>().of.tracked()); });
}

napi_value examples(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  return answer(env, arguments, "examples()", [&] { return count_of(env, arguments.of<Held>().of.examples()); });
}

// (weights): whether they are as many as there are
napi_value save(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto out = arguments.floats(0);
  return answer(env, arguments, "save(weights)", [&] {
    const std::vector<float> saved = arguments.of<Held>().of.save();
    if (out.size() == saved.size()) std::copy(saved.begin(), saved.end(), out.begin());
    return boolean(env, out.size() == saved.size());
  });
}

napi_value load(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto given = arguments.floats(0);
  return answer(env, arguments, "load(weights)", [&] {
    // Copied: what is checked is what is taken, whoever else writes there.
    return boolean(env, arguments.of<Held>().of.load(std::vector<float>(given.begin(), given.end())));
  });
}

}  // namespace

napi_value arrivals(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto keys = arguments.count(0, kMostKeys);
  const double within = arguments.number(1);
  const auto seed = arguments.count(2, 0xffffffff);
  arguments.must(keys >= 1 && within > 0 && within <= 3600);
  return answer(env, arguments, "arrivals(keys, within, seed)", [&]() -> napi_value {
    auto held = std::make_unique<Held>(predict::Arrivals::Options{keys, within, seed});
    napi_value made = object(env);
    const auto add = [&](const char* name, napi_callback callback) {
      napi_value function = nullptr;
      if (!ok(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, held.get(), &function))) return false;
      if (!ok(napi_add_finalizer(env, function, held.get(), forget, nullptr, nullptr))) return false;
      held->functions++;
      set(env, made, name, function);
      return true;
    };
    const bool whole = made != nullptr && add("arrived", arrived) && add("advance", advance) && add("score", score) &&
                       add("likely", likely) && add("tracked", tracked) && add("examples", examples) && add("save", save) &&
                       add("load", load);
    set(env, made, "weights", number(env, static_cast<double>(predict::Arrivals::kSaved)));
    // Functions that were made already keep it.
    if (held->functions > 0) held.release();
    return whole ? made : nullptr;
  });
}

}  // namespace forelock::bind
