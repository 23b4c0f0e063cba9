import { azureLlm } from '../../../../lib/backtest/suites/azure-llm.js'
import { judge } from '../judged.js'

judge([azureLlm])
