// fetch of a stream: chunked
const [method, url, key, file] = process.argv.slice(2), fs = require("fs")
const streamed = file
  ? { headers: { key, "Content-Type": "application/json" }, body: new Blob([fs.readFileSync(file)]).stream(), duplex: "half" }
  : { headers: { key } }
fetch(url, { method, ...streamed }).then(async (answer) => process.stdout.write(`${answer.status}\n${await answer.text()}`))
