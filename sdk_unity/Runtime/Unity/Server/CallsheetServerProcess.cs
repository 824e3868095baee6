using System;
using System.Diagnostics;
using System.IO;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;
using Debug = UnityEngine.Debug;

namespace Callsheet
{
    /// <summary>
    /// Runs the server that ships with the game: <c>Callsheet > Add server to build</c> puts it into StreamingAssets.
    /// Started on a free port with a token of its own, watched, started again if it crashes, ended with the game.
    /// On Windows, macOS and Linux; consoles, phones and browsers start no processes and need a hosted server.
    /// </summary>
    [DefaultExecutionOrder(-2000)]
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet Server Process")]
    public sealed class CallsheetServerProcess : MonoBehaviour
    {
        /// <summary>The bundle's folder in StreamingAssets, and the name of its program.</summary>
        internal const string BundleName = "callsheet";
        private const string Prefix = "[Callsheet] ";

        [Tooltip("The program; empty = the one in StreamingAssets/callsheet.")]
        [SerializeField]
        private string program = "";

        [Tooltip("What follows 'callsheet serve --child', such as --model Qwen2.5-1.5B-Instruct.")]
        [SerializeField]
        private string arguments = "";

        [Tooltip("How often in a row it is started again after a crash.")]
        [Min(0)]
        [SerializeField]
        private int maxRestarts = 3;

        private ServerProcess _server;
        private ServerState _told = ServerState.Stopped;
        private bool _failed;

        /// <summary>How far the model is while the server gets ready: for a bar.</summary>
        public event Action<EngineProgressMessage> EngineProgress;

        /// <summary>The server's state has changed.</summary>
        public event Action<ServerState> StateChanged;

        /// <summary>What the server does.</summary>
        public ServerState State => _failed ? ServerState.Failed : _server == null ? ServerState.Stopped : _server.State;

        /// <summary>How much of the model has been fetched, 0 to 1; 1 while it is loaded and from then on.</summary>
        public float Progress { get; private set; }

        /// <summary>True while a server is on its way: the client waits for its address.</summary>
        internal static bool IsComing { get; private set; }

        /// <summary>The program, its arguments and restarts, for a component that is made in code; before it is enabled.</summary>
        public void Configure(string programPath, string serveArguments = "", int restarts = 3)
        {
            program = programPath;
            arguments = serveArguments;
            maxRestarts = restarts;
        }

        /// <summary>Tells why this platform cannot run a server; null if it can.</summary>
        internal static string Unsupported(RuntimePlatform platform)
        {
            switch (platform)
            {
                case RuntimePlatform.WindowsPlayer:
                case RuntimePlatform.WindowsEditor:
                case RuntimePlatform.OSXPlayer:
                case RuntimePlatform.OSXEditor:
                case RuntimePlatform.LinuxPlayer:
                case RuntimePlatform.LinuxEditor:
                    return null;
                default:
                    return platform + " cannot run a server beside the game: host one and set its URL in "
                        + "Project Settings > Callsheet (docs/shipping.md)";
            }
        }

        /// <summary>With domain reload switched off, statics outlive a play session.</summary>
        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        private static void ResetStatics() => IsComing = false;

        private string ProgramPath()
        {
            if (program.Length > 0)
            {
                return program;
            }
            bool windows = Application.platform == RuntimePlatform.WindowsPlayer || Application.platform == RuntimePlatform.WindowsEditor;
            return Path.Combine(Application.streamingAssetsPath, BundleName, windows ? BundleName + ".exe" : BundleName);
        }

        private void OnEnable()
        {
            string problem = Unsupported(Application.platform);
            string path = problem == null ? ProgramPath() : null;
            if (problem == null && program.Length == 0 && !File.Exists(path))
            {
                problem = "no server at " + path + ": use the menu Callsheet > Add server to build";
            }
            if (problem != null)
            {
                _failed = true;
                Debug.LogError(Prefix + problem, this);
                return;
            }
            MakeExecutable(path);
            IsComing = true;
            _server = new ServerProcess(path, arguments, maxRestarts);
            _server.Start(Time.realtimeSinceStartupAsDouble);
        }

        private void Update()
        {
            if (_server == null)
            {
                return;
            }
            _server.Poll(Time.realtimeSinceStartupAsDouble);
            if (_server.State == _told)
            {
                return;
            }
            _told = _server.State;
            if (_told == ServerState.Running && IsComing)
            {
                IsComing = false;
                CallsheetClient client = CallsheetClient.Instance;
                client.ConnectTo(_server.Url, _server.Token);
                client.Session.Received += OnReceived;
                client.StateChanged += OnSession;
            }
            else if (_told == ServerState.Waiting)
            {
                Debug.LogWarning(Prefix + "it is started again; " + _server.Error, this);
            }
            else if (_told == ServerState.Failed)
            {
                IsComing = false;
                Debug.LogError(Prefix + _server.Error, this);
            }
            StateChanged?.Invoke(_told);
        }

        private void OnReceived(ServerMessage message)
        {
            var told = message as EngineProgressMessage;
            if (told == null)
            {
                return;
            }
            bool fetches = told.Phase == EnginePhase.Download;
            Progress = !fetches ? 1f : told.TotalBytes > 0 ? (float)told.DoneBytes / told.TotalBytes.Value : 0f;
            EngineProgress?.Invoke(told);
        }

        private void OnSession(SessionState old, SessionState now)
        {
            if (now == SessionState.Open)
            {
                Progress = 1f;
            }
        }

        private void OnDisable() => End();

        private void OnApplicationQuit() => End();

        private void End()
        {
            IsComing = false;
            if (_server == null)
            {
                return;
            }
            if (CallsheetClient.Exists)
            {
                CallsheetClient client = CallsheetClient.Instance;
                client.StateChanged -= OnSession;
                if (client.Session != null)
                {
                    client.Session.Received -= OnReceived;
                }
            }
            _server.Stop();
            _server = null;
            _told = ServerState.Stopped;
        }

        /// <summary>A build that was made on Windows for another system has lost the mark of a program.</summary>
        private static void MakeExecutable(string path)
        {
            if (Path.DirectorySeparatorChar == '/' && File.Exists(path))
            {
                using (Process change = Process.Start("/bin/chmod", "u+x \"" + path + "\""))
                {
                    change.WaitForExit();
                }
            }
        }
    }
}
