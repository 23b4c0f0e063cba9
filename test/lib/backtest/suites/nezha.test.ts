import { nezha } from '../../../../lib/backtest/suites/nezha.js'
import { judge } from '../judged.js'

judge([nezha])
