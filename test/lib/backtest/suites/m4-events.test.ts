import { m4Events } from '../../../../lib/backtest/suites/m4-events.js'
import { judge } from '../judged.js'

judge([m4Events])
