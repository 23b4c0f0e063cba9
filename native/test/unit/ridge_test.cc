#include "predict/ridge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "test/check.h"

using namespace forelock::predict;

namespace {

// y[t] = 3 + 0.5 y[t-1] - 0.3 y[t-2], with or without noise.
std::vector<double> autoregression(std::size_t n, double noise) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0, 1);
  std::vector<double> y = {1, 20};
  while (y.size() < n) y.push_back(3 + 0.5 * y[y.size() - 1] - 0.3 * y[y.size() - 2] + noise * normal(random));
  return y;
}

std::vector<double> waves(std::size_t n) {
  std::vector<double> y;
  for (std::size_t t = 0; t < n; t++)
    y.push_back(100 + 0.2 * static_cast<double>(t) + 10 * std::sin(2 * std::numbers::pi * static_cast<double>(t) / 24));
  return y;
}

}  // namespace

TEST_CASE("finds the weights of an autoregression") {
  const auto y = autoregression(20'000, 1);
  const std::uint32_t lags[] = {1, 2};
  double coefficients[3];
  CHECK(ridge_fit(y, {lags}, coefficients));
  CHECK(std::fabs(coefficients[0] - 3) < 0.1);
  CHECK(std::fabs(coefficients[1] - 0.5) < 0.02);
  CHECK(std::fabs(coefficients[2] + 0.3) < 0.02);
}

TEST_CASE("forecasts go on from each other") {
  const std::vector<double> y = {1, 2, 3, 4};
  const std::uint32_t lags[] = {1, 2};
  const double coefficients[] = {1, 0.5, 0.25};
  double out[2];
  CHECK(ridge_forecast(y, {lags}, coefficients, out));
  CHECK(out[0] == 1 + 0.5 * 4 + 0.25 * 3);
  CHECK(out[1] == 1 + 0.5 * out[0] + 0.25 * 4);
}

TEST_CASE("differences carry a season with a trend on") {
  const auto y = waves(24 * 20 + 48);
  const std::size_t known = 24 * 20;
  const std::uint32_t lags[] = {1, 2, 24};
  double coefficients[4];
  double out[48];
  const RidgeShape shape{lags, 24};
  CHECK(ridge_fit(std::span(y).first(known), shape, coefficients));
  CHECK(ridge_forecast(std::span(y).first(known), shape, coefficients, out));
  for (std::size_t h = 0; h < 48; h++) CHECK(std::fabs(out[h] - y[known + h]) < 0.1);
}

TEST_CASE("the unit of the values makes no difference") {
  const auto y = autoregression(500, 1);
  const std::uint32_t lags[] = {1, 2, 7};
  double plain[4];
  double scaled[4];
  CHECK(ridge_fit(y, {lags}, plain));
  std::vector<double> larger;
  for (const double value : y) larger.push_back(1e200 * value);
  CHECK(ridge_fit(larger, {lags}, scaled));
  for (int i = 1; i < 4; i++) CHECK(std::fabs(plain[i] - scaled[i]) < 1e-9);
  CHECK(std::fabs(scaled[0] / 1e200 - plain[0]) < 1e-6);
}

TEST_CASE("what does not vary is foretold as it is") {
  for (const double value : {0.0, 5.0, -1e300, 1e-300, std::numeric_limits<double>::max()}) {
    const std::vector<double> y(50, value);
    const std::uint32_t lags[] = {1, 2, 3};
    double coefficients[4];
    double out[5];
    CHECK(ridge_fit(y, {lags}, coefficients));
    CHECK(ridge_forecast(y, {lags}, coefficients, out));
    for (const double next : out) CHECK(std::fabs(next - value) <= 1e-6 * std::fabs(value) + 1e-300);
  }
}

TEST_CASE("one that explodes stays near the range") {
  const std::vector<double> y = {-1, 0, 1};
  const std::uint32_t lags[] = {1};
  const double coefficients[] = {0, 3};
  double out[1000];
  CHECK(ridge_forecast(y, {lags}, coefficients, out));
  for (const double next : out) CHECK(next >= -3 && next <= 3);
}

TEST_CASE("the ends of the range of numbers give numbers") {
  std::vector<double> y;
  constexpr double most = std::numeric_limits<double>::max();
  for (int i = 0; i < 60; i++) y.push_back(i % 3 == 0 ? most : i % 3 == 1 ? -most : 0);
  const std::uint32_t lags[] = {1, 3, 6};
  double coefficients[4];
  double out[10];
  if (ridge_fit(y, {lags}, coefficients)) {
    CHECK(ridge_forecast(y, {lags}, coefficients, out));
    for (const double next : out) CHECK(std::isfinite(next));
  }
}

TEST_CASE("from several beginnings at once it says to the last bit what it says from each") {
  auto y = autoregression(300, 1);
  for (std::size_t t = 200; t < y.size(); t += 20) y[t] *= static_cast<double>(t);
  const std::uint32_t lags[] = {1, 2, 7, 30};
  const double coefficients[] = {0.5, 0.7, -0.4, 0.3, 0.9};
  for (const std::uint32_t difference : {0u, 5u}) {
    const RidgeShape shape{lags, difference};
    for (const std::size_t count : {1u, 2u, 7u, 8u, 9u, 26u}) {
      const Origins origins{40, 10, count};
      std::vector<double> rows(12 * count);
      CHECK(ridge_forecasts(y, shape, coefficients, origins, rows));
      for (std::size_t i = 0; i < count; i++) {
        std::vector<double> row(12);
        CHECK(ridge_forecast(std::span(y).first(origins.length(i)), shape, coefficients, row));
        CHECK(std::equal(row.begin(), row.end(), rows.begin() + static_cast<std::ptrdiff_t>(12 * i)));
      }
    }
  }
}

TEST_CASE("of several beginnings none may be too short, or know what is no number") {
  std::vector<double> y(50, 1);
  const std::uint32_t lags[] = {1, 24};
  const double coefficients[] = {0, 0.5, 0.5};
  double rows[6];
  CHECK(!ridge_forecasts(y, {lags}, coefficients, {23, 5, 3}, rows));
  CHECK(!ridge_forecasts(y, {lags}, coefficients, {24, 5, 0}, rows));
  CHECK(ridge_forecasts(y, {lags}, coefficients, {24, 5, 3}, rows));
  y[40] = std::numeric_limits<double>::infinity();
  CHECK(ridge_forecasts(y, {lags}, coefficients, {24, 5, 3}, rows));
  CHECK(!ridge_forecasts(y, {lags}, coefficients, {24, 9, 3}, rows));
}

TEST_CASE("refuses what is too short or no number") {
  const std::uint32_t lags[] = {1, 24};
  double coefficients[3];
  double out[1];
  CHECK(!ridge_fit(std::vector<double>(27, 1), {lags}, coefficients));
  CHECK(ridge_fit(std::vector<double>(28, 1), {lags}, coefficients));
  CHECK(!ridge_forecast(std::vector<double>(23, 1), {lags}, coefficients, out));
  CHECK(!ridge_forecast(std::vector<double>(), {std::span<const std::uint32_t>()}, std::span(coefficients).first(1), out));
  std::vector<double> broken(100, 1);
  broken[50] = std::numeric_limits<double>::quiet_NaN();
  CHECK(!ridge_fit(broken, {lags}, coefficients));
  CHECK(!ridge_forecast(broken, {lags}, coefficients, out));
}

TEST_MAIN()
