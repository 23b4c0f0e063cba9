#include "predict/recurrent.h"

#include <cmath>
#include <limits>
#include <vector>

#include "test/check.h"

using namespace forelock::predict;

namespace {

constexpr RecurrentShape kLstm{RecurrentShape::kLstm, 2, 3};
constexpr RecurrentShape kGru{RecurrentShape::kGru, 2, 3};

std::vector<float> some_weights(const RecurrentShape& shape) {
  std::vector<float> weights(shape.weights());
  for (std::size_t i = 0; i < weights.size(); i++) weights[i] = 0.4f * std::sin(static_cast<float>(i) * 1.7f + 0.3f);
  return weights;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("one unit of memory goes on as its equations say") {
  const RecurrentShape shape{RecurrentShape::kLstm, 1, 1};
  // Kernel, recurrent kernel, bias of input, forget, cell and output; dense.
  const std::vector<float> w = {0.5f, -0.25f, 1, 0.75f, 0.125f, 0.5f, -1, 0.25f, 0, 1, 0.5f, -0.5f, 2, 0.25f};
  CHECK(w.size() == shape.weights());
  double state[] = {0.2, -0.3};
  const double x[] = {0.7};
  double out[1];
  CHECK(recurrent_run(shape, w, state, x, out));
  const double in = sigmoid(0.7 * 0.5 + 0.2 * 0.125);
  const double forget = sigmoid(0.7 * -0.25 + 0.2 * 0.5 + 1);
  const double cell = forget * -0.3 + in * std::tanh(0.7 + 0.2 * -1 + 0.5);
  const double hidden = sigmoid(0.7 * 0.75 + 0.2 * 0.25 - 0.5) * std::tanh(cell);
  CHECK(std::fabs(state[0] - hidden) < 1e-12);
  CHECK(std::fabs(state[1] - cell) < 1e-12);
  CHECK(std::fabs(out[0] - (2 * hidden + 0.25)) < 1e-12);
}

TEST_CASE("one gated unit goes on as its equations say, reset before the product") {
  const RecurrentShape shape{RecurrentShape::kGru, 1, 1};
  const std::vector<float> w = {0.5f, -0.25f, 1, 0.75f, 0.125f, 0.5f, -1, 0.25f, 0.5f, 2, 0.25f};
  CHECK(w.size() == shape.weights());
  double state[] = {0.2};
  const double x[] = {0.7};
  double out[1];
  CHECK(recurrent_run(shape, w, state, x, out));
  const double update = sigmoid(0.7 * 0.5 + 0.2 * 0.75 - 1);
  const double reset = sigmoid(0.7 * -0.25 + 0.2 * 0.125 + 0.25);
  const double hidden = update * 0.2 + (1 - update) * std::tanh(0.7 + reset * 0.2 * 0.5 + 0.5);
  CHECK(std::fabs(state[0] - hidden) < 1e-12);
  CHECK(std::fabs(out[0] - (2 * hidden + 0.25)) < 1e-12);
}

TEST_CASE("steps one by one lead where all at once do") {
  for (const RecurrentShape& shape : {kLstm, kGru}) {
    const auto weights = some_weights(shape);
    const std::vector<double> inputs = {0.5, -1, 2, 0, 0.25};
    std::vector<double> together(shape.state());
    std::vector<double> apart(shape.state());
    double all[3];
    double last[3];
    CHECK(recurrent_run(shape, weights, together, inputs, all));
    for (const double input : inputs) CHECK(recurrent_run(shape, weights, apart, {&input, 1}, {}));
    CHECK(recurrent_run(shape, weights, apart, {}, last));
    CHECK(together == apart);
    for (int i = 0; i < 3; i++) CHECK(all[i] == last[i]);
  }
}

TEST_CASE("what is not finite changes nothing") {
  for (const RecurrentShape& shape : {kLstm, kGru}) {
    auto weights = some_weights(shape);
    std::vector<double> state(shape.state(), 0.5);
    const auto before = state;
    double out[3] = {7, 7, 7};
    const double bad[] = {1, std::numeric_limits<double>::quiet_NaN()};
    CHECK(!recurrent_run(shape, weights, state, bad, out));
    weights.back() = std::numeric_limits<float>::infinity();
    const double good[] = {1};
    CHECK(!recurrent_run(shape, weights, state, good, out));
    CHECK(state == before);
    CHECK(out[0] == 7);
  }
}

TEST_CASE("the largest values saturate the gates and stay finite") {
  for (const RecurrentShape& shape : {kLstm, kGru}) {
    const auto weights = some_weights(shape);
    std::vector<double> state(shape.state());
    const double huge[] = {1e300, -1e300, 1e-310};
    double out[3];
    CHECK(recurrent_run(shape, weights, state, huge, out));
    for (const double value : out) CHECK(std::fabs(value) < 10);
  }
}

TEST_MAIN()
