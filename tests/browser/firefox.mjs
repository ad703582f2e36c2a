/**
 * One visit in Firefox over WebDriver BiDi: `node firefox.mjs FIREFOX ADDRESS EXERCISE ANSWER_FILE`.
 *
 * Opens a lab, runs its first cell, checks an answer, and prints what it saw as JSON.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [firefox, address, exercise, answerFile, web] = process.argv.slice(2);
const { default: puppeteer } = await import(
  createRequire(`${web}/package.json`).resolve("puppeteer-core")
);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: firefox,
  headless: true,
  // A new profile that talks to nobody: updates, telemetry and safe-browsing lists stay away.
  extraPrefsFirefox: {
    "app.update.enabled": false,
    "browser.safebrowsing.malware.enabled": false,
    "browser.safebrowsing.phishing.enabled": false,
    "datareporting.policy.dataSubmissionEnabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    "services.settings.server": "http://127.0.0.1:9/",
  },
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(90_000);
  await page.goto(address);
  const cell = '[data-cell="1"]';
  await page.locator(`${cell} [data-testid="run"]`).click();
  await page.waitForSelector(`${cell}[aria-busy="false"]`);
  const output = await page.$eval(
    `${cell} [data-testid="output"]`,
    (node) => node.textContent,
  );

  const card = `[data-exercise="${exercise}"]`;
  const answer = readFileSync(answerFile, "utf8");
  await page.$eval(
    `${card} [data-testid="editor"]`,
    (node, text) => node.setValue(text),
    answer,
  );
  await page.locator(`${card} [data-testid="check"]`).click();
  await page.waitForSelector(`${card} [data-testid="results"] [data-outcome]`);
  const outcomes = await page.$$eval(
    `${card} [data-testid="results"] [data-outcome]`,
    (rows) => rows.map((row) => row.dataset.outcome),
  );
  console.log(
    JSON.stringify({ output, outcomes, version: await browser.version() }),
  );
} finally {
  await browser.close();
}
