using System;

namespace Callsheet
{
    /// <summary>The command line that starts the server a URL asks for.</summary>
    public static class StartCommand
    {
        private const int DefaultPort = 8765;

        /// <summary>For example <c>callsheet serve --port 9000</c>.</summary>
        public static string For(string url)
        {
            bool valid = Uri.TryCreate(url, UriKind.Absolute, out Uri parsed);
            int port = valid && parsed.Port > 0 ? parsed.Port : DefaultPort;
            return port == DefaultPort ? "callsheet serve" : "callsheet serve --port " + port;
        }
    }
}
