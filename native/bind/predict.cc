#include "bind/predict.h"

#include <vector>

#include "bind/arguments.h"
#include "bind/arrivals.h"
#include "predict/correlation.h"
#include "predict/recurrent.h"
#include "predict/ridge.h"
#include "predict/smoothing.h"

namespace forelock::bind {

namespace {

constexpr std::uint32_t kMostLags = 256;
constexpr std::uint32_t kFarthest = 1u << 24;

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
    return boolean(env, predict::ridge_fit(values, {lags, difference, penalty}, out));
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
    return boolean(env, predict::ridge_forecast(values, {lags, difference}, coefficients, out));
  });
}

// Copied: another thread may write to memory that is shared. What is asked of them: a row for each, and none longer than the values.
predict::Origins origins_of(Arguments& arguments, std::size_t place, std::size_t values, std::size_t out) {
  const auto given = arguments.words(place);
  arguments.must(given.size() == 3);
  if (!arguments.fine()) return {};
  const predict::Origins origins{given[0], given[1], given[2]};
  // At least one step from each, so that what there is to do is bounded by the memory that the caller has.
  arguments.must(origins.count >= 1 && origins.first <= values && origins.last() <= values && out >= origins.count &&
                 out % origins.count == 0);
  return origins;
}

// (values, origins, lags, difference, coefficients, forecasts)
napi_value ridge_forecasts(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.doubles(0);
  const auto lags = lags_of(arguments, 2);
  const auto difference = arguments.count(3, kFarthest);
  const auto coefficients = arguments.doubles(4);
  const auto out = arguments.doubles(5);
  const auto origins = origins_of(arguments, 1, values.size(), out.size());
  arguments.must(coefficients.size() == lags.size() + 1);
  return answer(env, arguments, "ridgeForecasts(values, origins, lags, difference, coefficients, forecasts)", [&] {
    return boolean(env, predict::ridge_forecasts(values, {lags, difference}, coefficients, origins, out));
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
    if (!predict::smoothing_fit(values, period, trended, found)) return boolean(env, false);
    out[0] = found.level;
    out[1] = found.trend;
    out[2] = found.season;
    out[3] = found.damping;
    return boolean(env, true);
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
    return boolean(env, predict::smoothing_forecast(values, period, {with[0], with[1], with[2], with[3]}, out));
  });
}

// (values, origins, period, parameters, forecasts)
napi_value smoothing_forecasts(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.doubles(0);
  const auto period = arguments.count(2, kFarthest);
  const auto with = arguments.doubles(3);
  const auto out = arguments.doubles(4);
  const auto origins = origins_of(arguments, 1, values.size(), out.size());
  arguments.must(with.size() == 4);
  return answer(env, arguments, "smoothingForecasts(values, origins, period, parameters, forecasts)", [&] {
    return boolean(env, predict::smoothing_forecasts(values, period, {with[0], with[1], with[2], with[3]}, origins, out));
  });
}

// (values, length, correlations)
napi_value autocorrelation(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto values = arguments.first(0, 1);
  const auto out = arguments.doubles(2);
  return answer(env, arguments, "autocorrelation(values, length, correlations)",
                [&] { return boolean(env, predict::autocorrelation(values, out)); });
}

constexpr std::uint32_t kMostUnits = 1024;
constexpr std::uint32_t kMostOutputs = 1u << 17;

// (shape, weights, state, inputs, out)
napi_value recurrent_run(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const auto given = arguments.words(0);
  arguments.must(given.size() == 3);
  predict::RecurrentShape shape;
  if (arguments.fine()) {
    // Read once, because another thread may write to memory that is shared.
    const std::uint32_t cell = given[0];
    const std::uint32_t units = given[1];
    const std::uint32_t outputs = given[2];
    arguments.must(cell <= predict::RecurrentShape::kGru && units >= 1 && units <= kMostUnits && outputs <= kMostOutputs);
    if (arguments.fine()) shape = {static_cast<predict::RecurrentShape::Cell>(cell), units, outputs};
  }
  const auto weights = arguments.floats(1);
  const auto state = arguments.doubles(2);
  const auto inputs = arguments.doubles(3);
  const auto out = arguments.doubles(4);
  arguments.must(weights.size() == shape.weights() && state.size() == shape.state() && (out.empty() || out.size() == shape.outputs));
  return answer(env, arguments, "recurrentRun(shape, weights, state, inputs, out)",
                [&] { return boolean(env, predict::recurrent_run(shape, weights, state, inputs, out)); });
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
  add("ridgeForecasts", ridge_forecasts);
  add("smoothingFit", smoothing_fit);
  add("smoothingForecast", smoothing_forecast);
  add("smoothingForecasts", smoothing_forecasts);
  add("autocorrelation", autocorrelation);
  add("recurrentRun", recurrent_run);
  add("arrivals", arrivals);
  return functions;
}

}  // namespace forelock::bind
