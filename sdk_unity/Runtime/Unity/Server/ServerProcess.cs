using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Security.Cryptography;

namespace Callsheet
{
    /// <summary>
    /// A server that is started, watched and stopped by this process, and ends with it: it lives as long as somebody
    /// holds the other end of its standard input. Knows no engine; every method is called from one thread.
    /// </summary>
    public sealed class ServerProcess : IDisposable
    {
        private const int TokenBytes = 24;
        private const int KeptLines = 12;
        private const double LongLifeS = 60;
        private const string UrlField = "\"url\": \"";

        private readonly string _program;
        private readonly string _arguments;
        private readonly int _maxRestarts;

        /// <summary>Guards what the threads that read its output write.</summary>
        private readonly object _gate = new object();
        private readonly Queue<string> _lastLines = new Queue<string>();
        private Process _process;
        private string _toldUrl;
        private int _restarts;
        private double _startedS;
        private double _restartAtS;

        /// <summary>A server that is not started yet.</summary>
        /// <param name="program">The bundle's program, or <c>callsheet</c>.</param>
        /// <param name="arguments">What follows <c>serve --child</c>.</param>
        /// <param name="maxRestarts">How often in a row it is started again after it has ended by itself.</param>
        public ServerProcess(string program, string arguments = "", int maxRestarts = 3)
        {
            _program = program;
            _arguments = arguments;
            _maxRestarts = maxRestarts;
            var secret = new byte[TokenBytes];
            using (RandomNumberGenerator random = RandomNumberGenerator.Create())
            {
                random.GetBytes(secret);
            }
            Token = Convert.ToBase64String(secret).Replace('+', '-').Replace('/', '_');
        }

        /// <summary>What it does.</summary>
        public ServerState State { get; private set; } = ServerState.Stopped;

        /// <summary>Where it listens, on a port that was free; null before it has told. A restart keeps it.</summary>
        public string Url { get; private set; }

        /// <summary>
        /// What the game must present: made anew for each server, given to it through its environment. Mods and
        /// observers present it with <c>.mod</c> or <c>.observer</c> after it.
        /// </summary>
        public string Token { get; }

        /// <summary>Why it failed, with its last words; null if it did not.</summary>
        public string Error { get; private set; }

        /// <summary>How often it was started again.</summary>
        public int Restarts { get; private set; }

        /// <summary>The number of the process; 0 if there is none.</summary>
        public int Id => _process == null ? 0 : _process.Id;

        /// <summary>Starts it. Does nothing if it runs.</summary>
        /// <param name="nowS">Seconds on a clock that never goes back.</param>
        public void Start(double nowS)
        {
            if (State == ServerState.Stopped || State == ServerState.Failed)
            {
                _restarts = 0;
                Launch(nowS);
            }
        }

        /// <summary>Notices what has happened since the last call; called once a frame.</summary>
        /// <param name="nowS">As for <see cref="Start"/>.</param>
        public void Poll(double nowS)
        {
            if (State == ServerState.Waiting && nowS >= _restartAtS)
            {
                Restarts++;
                Launch(nowS);
            }
            if (_process == null)
            {
                return;
            }
            lock (_gate)
            {
                if (State == ServerState.Starting && _toldUrl != null)
                {
                    Url = _toldUrl;
                    State = ServerState.Running;
                }
            }
            if (_process.HasExited)
            {
                Ended(nowS);
            }
        }

        /// <summary>Tells it to end, and kills it if it does not in time.</summary>
        /// <param name="patienceMs">How long it may take.</param>
        public void Stop(int patienceMs = 3000)
        {
            State = ServerState.Stopped;
            Process process = _process;
            _process = null;
            if (process == null)
            {
                return;
            }
            try
            {
                process.StandardInput.Close();
                if (!process.WaitForExit(patienceMs))
                {
                    process.Kill();
                }
            }
            catch (Exception gone) when (gone is InvalidOperationException || gone is IOException || gone is Win32Exception)
            {
                // It has ended meanwhile.
            }
            process.Dispose();
        }

        /// <summary>Stops it.</summary>
        public void Dispose() => Stop();

        private void Launch(double nowS)
        {
            _toldUrl = null;
            _startedS = nowS;
            Error = null;
            var start = new ProcessStartInfo(_program, ("serve --child " + SamePort() + _arguments).TrimEnd())
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.EnvironmentVariables["CALLSHEET_SERVER__GAME_TOKEN"] = Token;
            start.EnvironmentVariables["CALLSHEET_SERVER__MOD_TOKEN"] = Token + ".mod";
            start.EnvironmentVariables["CALLSHEET_SERVER__OBSERVER_TOKEN"] = Token + ".observer";
            try
            {
                _process = Process.Start(start);
                _process.OutputDataReceived += (sender, line) => Hear(line.Data);
                _process.ErrorDataReceived += (sender, line) => Hear(line.Data);
                _process.BeginOutputReadLine();
                _process.BeginErrorReadLine();
                State = ServerState.Starting;
            }
            catch (Exception refused) when (refused is Win32Exception || refused is InvalidOperationException || refused is NotSupportedException)
            {
                State = ServerState.Failed;
                Error = "cannot start '" + _program + "': " + refused.Message;
            }
        }

        private string SamePort() => Url == null ? "" : "--port " + new Uri(Url).Port + " ";

        private void Ended(double nowS)
        {
            int status = _process.ExitCode;
            _process.Dispose();
            _process = null;
            if (nowS - _startedS > LongLifeS)
            {
                _restarts = 0;
            }
            string lastWords;
            lock (_gate)
            {
                lastWords = string.Join("\n", _lastLines.ToArray());
            }
            Error = "the server ended with status " + status + (lastWords.Length > 0 ? ":\n" + lastWords : "");
            if (_restarts >= _maxRestarts)
            {
                State = ServerState.Failed;
                return;
            }
            _restarts++;
            _restartAtS = nowS + Math.Pow(2, _restarts - 1);
            State = ServerState.Waiting;
        }

        /// <summary>Takes a line that it printed; called from threads of the pool.</summary>
        private void Hear(string line)
        {
            if (string.IsNullOrEmpty(line))
            {
                return;
            }
            lock (_gate)
            {
                int at = line.IndexOf(UrlField, StringComparison.Ordinal);
                if (_toldUrl == null && line.StartsWith("{", StringComparison.Ordinal) && at >= 0)
                {
                    at += UrlField.Length;
                    _toldUrl = line.Substring(at, line.IndexOf('"', at) - at);
                    return;
                }
                _lastLines.Enqueue(line);
                if (_lastLines.Count > KeptLines)
                {
                    _lastLines.Dequeue();
                }
            }
        }
    }
}
