import { cost } from '../../../../lib/backtest/suites/cost.js'
import { judge } from '../judged.js'

judge([cost])
