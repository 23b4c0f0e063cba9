import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nezhaSpans } from '../../../lib/backtest/nezha.js'

const HEADING = 'TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration'

test('reads spans by the time at which they began, each once, without the numbers of pods', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-nezha-'))
  try {
    mkdirSync(join(folder, 'nezha', 'day', 'trace'), { recursive: true })
    const one = 't1,s1,root,ts-gateway-service-6f6cfc45b-h5m2n,/*,1674981768697000000,1674981769015316530,318316'
    const two = 't1,s2,s1,ts-auth-service-7f8d7d756d-k7b9j,HTTP GET,1674981768697000250,1674981769015316530,1'
    const three = 't2,s1,root,ts-auth-service-6f6cfc45b-aaaaa,HTTP GET,1674981767697000000,1674981769015316530,1'
    writeFileSync(join(folder, 'nezha', 'day', 'trace', '08_43_trace.csv'), `${[HEADING, two, one].join('\n')}\n`)
    writeFileSync(join(folder, 'nezha', 'day', 'trace', '08_44_trace.csv'), `${[HEADING, one, three].join('\n')}\n`)
    writeFileSync(join(folder, 'nezha', 'day', 'pods.csv'), 'nothing,of,it\n')
    execFileSync('tar', ['-cJf', join(folder, 'nezha', 'trainticket_2023-01-29.tar.xz'), '-C', join(folder, 'nezha'), 'day'])
    const { all, trained } = await nezhaSpans(folder)
    assert.equal(
      all.map(({ trace, operation }) => [trace, operation]),
      [
        ['t2', 'ts-auth-service HTTP GET'],
        ['t1', 'ts-gateway-service /*'],
        ['t1', 'ts-auth-service HTTP GET']
      ]
    )
    const times = all.map(({ time }) => time)
    assert.ok(times[0] === 0 && times[1] === 1_000 && Math.abs((times[2] as number) - 1_000.00025) < 1e-6, String(times))
    assert.ok(Math.abs(trained - 700) < 0.001)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
