import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageModel } from '../../predict/usage.js'
import { coverage, msis } from '../scores.js'
import type { Measure, Suite } from '../suite.js'

const SERVICES = ['code', 'conv']
const COVERAGE = 0.9
const BEFORE = 20
/** Of the interval that knows only what came last. */
const LAST = 128

/** Requests to two language models (Patel et al., "Splitwise", ISCA 2024): how many tokens come out, from how many go in. */
export const azureLlm: Suite = {
  name: 'azure_llm',
  title: 'tokens that two language models put out, from how many they are given, in the order in which they were asked',
  settings: 'default UsageModel; its intervals of 90 % set on the first third of the requests; each foretold from those before it',
  needs: ['azure_llm'],
  async run({ data, progress }) {
    const measures: Measure[] = []
    for (const [i, service] of SERVICES.entries()) {
      const requests = await read(join(data, 'azure_llm', `AzureLLMInferenceTrace_${service}.csv`))
      measures.push(...judge(service, requests))
      progress((i + 1) / SERVICES.length)
    }
    return { measures }
  }
}

function judge(service: string, requests: readonly (readonly [input: number, output: number])[]): Measure[] {
  const model = new UsageModel({ resources: ['tokens'] })
  const truth: number[] = []
  const [low, high, lowLast, highLast]: [number[], number[], number[], number[]] = [[], [], [], []]
  let explained = 0
  for (const [i, [input, output]] of requests.entries()) {
    const request = { workflow: service, input: { tokens: input } }
    const said = i < BEFORE ? undefined : model.predict(request, COVERAGE).tokens
    if (said !== undefined) {
      const last = Float64Array.from(requests.slice(Math.max(0, i - LAST), i), ([, tokens]) => tokens).sort()
      const at = (level: number) => last[Math.round(level * (last.length - 1))] as number
      truth.push(output)
      low.push(said.low)
      high.push(said.high)
      lowLast.push(at((1 - COVERAGE) / 2))
      highLast.push(at((1 + COVERAGE) / 2))
      explained += said.explained
    }
    model.learn(request, { tokens: output })
  }
  const last = `quantiles of the last ${LAST}`
  return [
    {
      id: `coverage-${service}`,
      unit: 'of 90 %',
      value: coverage(truth, low, high),
      rivals: { [last]: coverage(truth, lowLast, highLast) },
      must: { from: 0.88, to: 0.92 }
    },
    {
      id: `interval-score-${service}`,
      unit: 'tokens',
      value: msis(truth, low, high, COVERAGE, 1),
      rivals: { [last]: msis(truth, lowLast, highLast, COVERAGE, 1) },
      note: 'width, and what is missed'
    },
    {
      id: `explained-${service}`,
      unit: 'of error',
      value: explained / truth.length,
      note: 'what the model itself says its input is worth: the nearest requests tell, where a line does not'
    }
  ]
}

async function read(file: string): Promise<[input: number, output: number][]> {
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n')
  return lines.map(line => {
    const [, input, output] = line.split(',').map(Number)
    return [input as number, output as number]
  })
}
