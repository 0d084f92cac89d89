// System.Net.Http.HttpClient with a content of unknown length, as PostAsJsonAsync sends it: chunked
using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading.Tasks;

class Unmeasured : HttpContent {
  readonly string file;
  public Unmeasured(string file) {
    this.file = file;
    Headers.ContentType = new MediaTypeHeaderValue("application/json");
  }
  protected override async Task SerializeToStreamAsync(Stream stream, TransportContext context) {
    using (var content = File.OpenRead(file)) await content.CopyToAsync(stream);
  }
  protected override bool TryComputeLength(out long length) {
    length = 0;
    return false;
  }
}

class Send {
  static void Main(string[] a) {
    var asked = new HttpRequestMessage(new HttpMethod(a[0]), a[1]);
    asked.Headers.Add("key", a[2]);
    if (a.Length > 3) {
      asked.Content = new Unmeasured(a[3]);
      asked.Headers.TransferEncodingChunked = true;
    }
    var answer = new HttpClient().SendAsync(asked).Result;
    Console.Write((int) answer.StatusCode + "\n" + answer.Content.ReadAsStringAsync().Result);
  }
}
