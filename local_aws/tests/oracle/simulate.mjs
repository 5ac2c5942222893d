// Asks @cloud-copilot/iam-simulate for its decision on each simulation of a JSON list on standard input; answers with a
// JSON list of their results on standard output. The library is AGPL-3.0: it runs here, in a process of tests, and
// nowhere else.
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const installed = createRequire(`${process.argv[2]}/`)
const { runSimulation } = await import(pathToFileURL(installed.resolve('@cloud-copilot/iam-simulate')))
const none = { serviceControlPolicies: [], resourceControlPolicies: [] }
const answers = []
for (const simulation of JSON.parse(await text(process.stdin))) {
  const said = await runSimulation({ ...none, ...simulation }, {})
  const ignored = said.result?.ignoredContextKeys ?? []
  answers.push({ result: said.overallResult ?? JSON.stringify(said.errors), ignored })
}
console.log(JSON.stringify(answers))
