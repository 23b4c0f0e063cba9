import { type Answer, type Kind, WORK } from './messages.js'

const QUANTILES = [0.5, 0.9, 0.99]

/** A line for each kind of work: how long it waited for a slot, and worked. */
export function report(name: string, answers: Record<Kind, readonly Answer[]>): string {
  return (Object.keys(WORK) as Kind[])
    .map(kind => {
      const waits = answers[kind].map(({ waited }) => waited).sort((a, b) => a - b)
      const worked = mean(answers[kind].map(({ worked }) => worked))
      const quantiles = QUANTILES.map(q => `p${100 * q} ${cell(waits[Math.min(waits.length - 1, Math.floor(q * waits.length))] ?? 0)}`)
      return `${name.padEnd(10)} ${WORK[kind].tier.padEnd(11)} ${String(waits.length).padStart(5)} requests  wait mean ${cell(mean(waits))}  ${quantiles.join('  ')}  work ${cell(worked)} ms`
    })
    .join('\n')
}

export function mean(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0) / Math.max(1, values.length)
}

function cell(ms: number): string {
  return ms.toFixed(1).padStart(7)
}
