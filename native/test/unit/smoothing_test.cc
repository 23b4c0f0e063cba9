#include "predict/smoothing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "test/check.h"

using namespace forelock::predict;

namespace {

// A slope, a season of four steps, and noise.
std::vector<double> seasonal(std::size_t n, double slope, double noise) {
  const double season[] = {5, -3, -4, 2};
  std::mt19937 random(11);
  std::normal_distribution<double> normal(0, 1);
  std::vector<double> y;
  for (std::size_t t = 0; t < n; t++) y.push_back(50 + slope * static_cast<double>(t) + season[t % 4] + noise * normal(random));
  return y;
}

}  // namespace

TEST_CASE("a series without noise goes on as it was") {
  const auto y = seasonal(208, 0.5, 0);
  Smoothing with;
  double out[8];
  CHECK(smoothing_fit(std::span(y).first(200), 4, true, with));
  CHECK(smoothing_forecast(std::span(y).first(200), 4, with, out));
  for (std::size_t h = 0; h < 8; h++) CHECK(std::fabs(out[h] - y[200 + h]) < 1);
}

TEST_CASE("noise about a level is smoothed more than a walk") {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 1);
  std::vector<double> noise;
  std::vector<double> walk = {0};
  for (int i = 0; i < 500; i++) {
    noise.push_back(normal(random));
    walk.push_back(walk.back() + normal(random));
  }
  Smoothing of_noise;
  Smoothing of_walk;
  CHECK(smoothing_fit(noise, 0, false, of_noise));
  CHECK(smoothing_fit(walk, 0, false, of_walk));
  CHECK(of_noise.level < 0.1);
  CHECK(of_walk.level > 0.6);
}

TEST_CASE("without a trend the forecast is flat, and one that is damped comes to rest") {
  std::vector<double> y;
  for (int i = 0; i < 100; i++) y.push_back(i);
  Smoothing with;
  double out[400];
  CHECK(smoothing_fit(y, 0, false, with));
  CHECK(smoothing_forecast(y, 0, with, out));
  CHECK_EQUAL(out[0], out[399]);
  CHECK(smoothing_forecast(y, 0, {0.9, 0.3, 0, 0.9}, out));
  CHECK(out[0] > 99);
  CHECK(std::fabs(out[399] - out[300]) < 1e-6);
}

TEST_CASE("the season goes on from the place where the values end") {
  const auto y = seasonal(42, 0, 0);
  double out[4];
  CHECK(smoothing_forecast(y, 4, {0.1, 0, 0.1, 1}, out));
  CHECK(out[0] < out[1]);  // -4, 2, 5, -3
  CHECK(out[1] < out[2]);
  CHECK(out[3] < out[1]);
}

TEST_CASE("values that are the same, huge or tiny give numbers near them") {
  for (const double value : {0.0, -7.0, 1e300, std::numeric_limits<double>::max(), 5e-324}) {
    const std::vector<double> y(40, value);
    Smoothing with;
    double out[3];
    CHECK(smoothing_fit(y, 4, true, with));
    CHECK(smoothing_forecast(y, 4, with, out));
    for (const double next : out) CHECK(std::fabs(next - value) <= 1e-6 * std::fabs(value) + 1e-300);
  }
}

TEST_CASE("from several beginnings at once it says to the last bit what it says from each") {
  // Of a range that stays, and of one that is another each time.
  for (const double slope : {0.0, 0.5}) {
    const auto y = seasonal(200, slope, 1);
    for (const std::uint32_t period : {0u, 4u, 9u}) {
      const Smoothing with{0.3, 0.1, 0.2, 0.95};
      const Origins origins{20, 9, 20};
      std::vector<double> rows(6 * origins.count);
      CHECK(smoothing_forecasts(y, period, with, origins, rows));
      for (std::size_t i = 0; i < origins.count; i++) {
        double row[6];
        CHECK(smoothing_forecast(std::span(y).first(origins.length(i)), period, with, row));
        CHECK(std::equal(row, row + 6, rows.begin() + static_cast<std::ptrdiff_t>(6 * i)));
      }
    }
  }
}

TEST_CASE("of several beginnings none may be too short, or know what is no number") {
  std::vector<double> y(50, 1);
  double rows[6];
  CHECK(!smoothing_forecasts(y, 4, {}, {7, 5, 3}, rows));
  CHECK(!smoothing_forecasts(y, 4, {}, {8, 5, 0}, rows));
  y[20] = std::numeric_limits<double>::quiet_NaN();
  CHECK(smoothing_forecasts(y, 4, {}, {8, 5, 3}, rows));
  CHECK(!smoothing_forecasts(y, 4, {}, {8, 7, 3}, rows));
}

TEST_CASE("refuses fewer than two periods, and what is no number") {
  Smoothing with;
  double out[1];
  CHECK(!smoothing_fit(std::vector<double>(7, 1), 4, false, with));
  CHECK(smoothing_fit(std::vector<double>(8, 1), 4, false, with));
  CHECK(!smoothing_fit(std::vector<double>(2, 1), 0, false, with));
  std::vector<double> broken(20, 1);
  broken[3] = std::numeric_limits<double>::infinity();
  CHECK(!smoothing_fit(broken, 0, false, with));
  CHECK(!smoothing_forecast(broken, 0, with, out));
}

TEST_MAIN()
