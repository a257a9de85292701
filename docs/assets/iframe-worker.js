// Browsers refuse a worker to a page that is opened from a folder. The search runs in a hidden frame
// there, which has what the search's script expects of a worker.
if (location.protocol === "file:") {
  class IFrameWorker extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      document.body.append(frame);
      this.inner = frame.contentWindow;
      const load = (address) =>
        new Promise((loaded, failed) => {
          const script = this.inner.document.createElement("script");
          script.src = address;
          script.onload = loaded;
          script.onerror = failed;
          this.inner.document.body.append(script);
        });
      this.inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inner.importScripts = async (...addresses) => {
        for (const address of addresses) await load(address);
      };
      this.ready = load(url);
    }

    postMessage(data) {
      this.ready.then(() =>
        this.inner.dispatchEvent(new this.inner.MessageEvent("message", { data })),
      );
    }

    terminate() {
      this.inner.frameElement.remove();
    }
  }
  window.IFrameWorker = IFrameWorker;
  window.Worker = IFrameWorker;
}
