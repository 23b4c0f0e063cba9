#include "bind/predict.h"

#include <new>
#include <vector>

#include "bind/args.h"
#include "predict/correlation.h"
#include "predict/ridge.h"
#include "predict/smoothing.h"

namespace forelock::bind {

namespace {

constexpr std::size_t kMostArguments = 6;
constexpr std::uint32_t kMostLags = 256;
constexpr std::uint32_t kFarthest = 1u << 24;

// The arguments of a call. Each is asked for by its place; one that is not what it must be spoils all of them.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    fine_ = ok(napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr));
  }

  std::span<double> doubles(std::size_t place) { return view<double>(place, napi_float64_array); }
  std::span<std::uint32_t> words(std::size_t place) { return view<std::uint32_t>(place, napi_uint32_array); }

  double number(std::size_t place) {
    double value = 0;
    fine_ = fine_ && place < count_ && ok(napi_get_value_double(env_, values_[place], &value));
    return fine_ ? value : 0;
  }

  std::uint32_t count(std::size_t place, std::uint32_t most) {
    const auto value = whole(number(place), most);
    fine_ = fine_ && value.has_value();
    return value.value_or(0);
  }

  // The first of some values.
  std::span<double> first(std::size_t place, std::size_t length_place) {
    const auto all = doubles(place);
    const double length = number(length_place);
    fine_ = fine_ && length >= 0 && length <= static_cast<double>(all.size());
    return fine_ ? all.first(static_cast<std::size_t>(length)) : std::span<double>();
  }

  void must(bool holds) { fine_ = fine_ && holds; }
  bool fine() const { return fine_; }

 private:
  template <typename T>
  std::span<T> view(std::size_t place, napi_typedarray_type wanted) {
    napi_typedarray_type type = napi_int8_array;
    std::size_t length = 0;
    void* data = nullptr;
    bool is_array = false;
    fine_ = fine_ && place < count_ && ok(napi_is_typedarray(env_, values_[place], &is_array)) && is_array &&
            ok(napi_get_typedarray_info(env_, values_[place], &type, &length, &data, nullptr, nullptr)) && type == wanted;
    if (!fine_ || data == nullptr) return {};
    return {static_cast<T*>(data), length};
  }

  napi_env env_;
  std::size_t count_ = kMostArguments;
  napi_value values_[kMostArguments] = {};
  bool fine_ = false;
};

template <typename Work>
napi_value answer(napi_env env, const Arguments& arguments, const char* signature, Work&& work) {
  if (!arguments.fine()) {
    throw_type(env, signature);
    return nullptr;
  }
  try {
    return boolean(env, work());
  } catch (const std::bad_alloc& error) {
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
    return nullptr;
  }
}

// Copied: another thread may write to memory that is shared, and they say where is read.
std::vector<std::uint32_t> lags_of(Arguments& arguments, std::size_t place) {
  const auto given = arguments.words(place);
  arguments.must(given.size() <= kMostLags);
  if (!arguments.fine()) return {};
  std::vector<std::uint32_t> lags(given.begin(), given.end());
  for (const std::uint32_t lag : lags) arguments.must(lag >= 1 && lag <= kFarthest);
  return lags;
}

// (values, length, lags, difference, penalty, coefficients)
napi_value ridge_fit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.first(0, 1);
  const auto lags = lags_of(arguments, 2);
  const auto difference = arguments.count(3, kFarthest);
  const double penalty = arguments.number(4);
  const auto out = arguments.doubles(5);
  arguments.must(penalty >= 0 && out.size() == lags.size() + 1);
  return answer(env, arguments, "ridgeFit(values, length, lags, difference, penalty, coefficients)", [&] {
    return predict::ridge_fit(values, {lags, difference, penalty}, out);
  });
}

// (values, length, lags, difference, coefficients, forecast)
napi_value ridge_forecast(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.first(0, 1);
  const auto lags = lags_of(arguments, 2);
  const auto difference = arguments.count(3, kFarthest);
  const auto coefficients = arguments.doubles(4);
  const auto out = arguments.doubles(5);
  arguments.must(coefficients.size() == lags.size() + 1);
  return answer(env, arguments, "ridgeForecast(values, length, lags, difference, coefficients, forecast)", [&] {
    return predict::ridge_forecast(values, {lags, difference}, coefficients, out);
  });
}

// (values, length, period, trended, parameters)
napi_value smoothing_fit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.first(0, 1);
  const auto period = arguments.count(2, kFarthest);
  const bool trended = arguments.count(3, 1) == 1;
  const auto out = arguments.doubles(4);
  arguments.must(out.size() == 4);
  return answer(env, arguments, "smoothingFit(values, length, period, trended, parameters)", [&] {
    predict::Smoothing found;
    if (!predict::smoothing_fit(values, period, trended, found)) return false;
    out[0] = found.level;
    out[1] = found.trend;
    out[2] = found.season;
    out[3] = found.damping;
    return true;
  });
}

// (values, length, period, parameters, forecast)
napi_value smoothing_forecast(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.first(0, 1);
  const auto period = arguments.count(2, kFarthest);
  const auto with = arguments.doubles(3);
  const auto out = arguments.doubles(4);
  arguments.must(with.size() == 4);
  return answer(env, arguments, "smoothingForecast(values, length, period, parameters, forecast)", [&] {
    return predict::smoothing_forecast(values, period, {with[0], with[1], with[2], with[3]}, out);
  });
}

// (values, length, correlations)
napi_value autocorrelation(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.first(0, 1);
  const auto out = arguments.doubles(2);
  return answer(env, arguments, "autocorrelation(values, length, correlations)", [&] { return predict::autocorrelation(values, out); });
}

}  // namespace

napi_value predict(napi_env env) {
  napi_value functions = object(env);
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    if (ok(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function))) set(env, functions, name, function);
  };
  add("ridgeFit", ridge_fit);
  add("ridgeForecast", ridge_forecast);
  add("smoothingFit", smoothing_fit);
  add("smoothingForecast", smoothing_forecast);
  add("autocorrelation", autocorrelation);
  return functions;
}

}  // namespace forelock::bind
