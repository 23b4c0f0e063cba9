import { sizeyEager, sizeyMag, sizeyRnaseq } from '../../../../lib/backtest/suites/sizey.js'
import { judge } from '../judged.js'

judge([sizeyRnaseq, sizeyMag, sizeyEager])
