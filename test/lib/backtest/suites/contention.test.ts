import { contention } from '../../../../lib/backtest/suites/contention.js'
import { judge } from '../judged.js'

judge([contention])
