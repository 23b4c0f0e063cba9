import { existsSync, statSync } from 'node:fs'
import { filesUnder } from './files.mjs'

const changed = file => statSync(file).mtimeMs

/** True when an output is missing or older than a file under the inputs. */
export function isStale(outputs, inputs, skip = []) {
  if (outputs.some(output => !existsSync(output))) return true
  const newest = Math.max(...inputs.flatMap(input => filesUnder(input, skip)).map(changed))
  return newest > Math.min(...outputs.map(changed))
}
