// Opens a page as a phone and as a desktop would, by day and by night, and prints a line of JSON for each: what went wrong, what was
// asked of the network, and what is wider than the screen. Pictures go into the folder.
// Usage: node photograph.mjs PAGE FOLDER
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

// The browser brings the libraries along that a small machine lacks, and unpacks them where it thinks to be a function.
process.env.AWS_EXECUTION_ENV ??= `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`;
const require = createRequire(join(process.env.BROWSER_TOOLS, "package.json"));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default;
const [chromium, puppeteer] = [await load("@sparticuz/chromium"), await load("puppeteer-core")];

// Pixels of the page in one picture: browsers repeat themselves in pictures that are much taller.
const SLICE = 3000;
const [page, folder] = process.argv.slice(2);
const address = pathToFileURL(resolve(page)).href;
const executablePath = await chromium.executablePath();
process.env.FONTCONFIG_FILE = fontsOf(process.env.BROWSER_TOOLS);
const browser = await puppeteer.launch({
  executablePath,
  args: chromium.args,
  headless: "shell",
});
try {
  for (const width of [390, 1280]) {
    for (const scheme of ["light", "dark"]) {
      console.log(JSON.stringify(await look(width, scheme)));
    }
  }
  await print();
} finally {
  await browser.close();
}

// The browser looks for the fonts that it brings along where a function has them. Without any, a page has no text, and a heading of
// balanced lines ends the browser.
function fontsOf(tools) {
  const file = join(tools, "fonts.conf");
  const fonts = `<dir>${join(tools, "fonts")}</dir><cachedir>${join(tools, "fonts-cache")}</cachedir>`;
  writeFileSync(file, `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${fonts}</fontconfig>`);
  return file;
}

async function look(width, scheme) {
  const tab = await browser.newPage();
  const [complaints, requests] = [[], []];
  tab.on("console", (message) => complaints.push(message.text()));
  tab.on("pageerror", (error) => complaints.push(error.message));
  tab.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  tab.on("request", (request) => request.url() === address || request.url().startsWith("data:") || requests.push(request.url()));
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.setViewport({ width, height: 900, deviceScaleFactor: 1, isMobile: width < 600 });
  await tab.goto(address, { waitUntil: "load" });
  const pictures = [];
  const height = await tab.evaluate(() => document.documentElement.scrollHeight);
  for (let y = 0; y < height; y += SLICE) {
    const picture = join(folder, `${width}-${scheme}-${pictures.length + 1}.png`);
    await tab.screenshot({ path: picture, clip: { x: 0, y, width, height: Math.min(SLICE, height - y) } });
    pictures.push(picture);
  }
  // Once more with everything unfolded, which is where long lines of SQL are.
  await tab.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const wide = await tab.evaluate(() => {
    const screen = document.documentElement.clientWidth;
    const scrolls = (element) => element.closest(".scroll, pre");
    const isWide = (element) => element.getBoundingClientRect().right > screen + 0.5 && !scrolls(element);
    const wide = [...document.body.querySelectorAll("*")].filter(isWide).map((element) => element.outerHTML.slice(0, 80));
    return document.documentElement.scrollWidth > screen ? [`the page is ${document.documentElement.scrollWidth} wide`, ...wide] : wide;
  });
  const title = await tab.title();
  await tab.close();
  return { width, scheme, title, pictures, complaints, requests, wide };
}

async function print() {
  const tab = await browser.newPage();
  await tab.goto(address, { waitUntil: "load" });
  await tab.pdf({ path: join(folder, "paper.pdf"), format: "A4", printBackground: true });
  await tab.close();
}
