using System;
using System.Collections;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// The answer to a request, once it comes. Awaitable; a coroutine of a game engine can yield it.
    ///
    /// Events and continuations run inside the session's tick, on the game's main thread. Awaiting an answer
    /// that failed throws <see cref="CallsheetException"/>.
    /// </summary>
    public sealed class Answer<T> : IRequestHandler, IEnumerator
    {
        private readonly Func<ServerMessage, T> _read;
        private readonly List<Action> _continuations = new List<Action>();

        internal Answer(Func<ServerMessage, T> read)
        {
            _read = read;
        }

        /// <summary>It has come, or never will.</summary>
        public event Action<Answer<T>> Completed;

        /// <summary>True once it has come, or never will.</summary>
        public bool IsComplete { get; private set; }

        /// <summary>What the server answered; the default before that, and if it failed.</summary>
        public T Result { get; private set; }

        /// <summary>Why it failed; null if it did not.</summary>
        public CallsheetError Error { get; private set; }

        object IEnumerator.Current => null;

        bool IEnumerator.MoveNext() => !IsComplete;

        void IEnumerator.Reset() => throw new NotSupportedException("an answer comes once");

        /// <summary>Lets C# await it.</summary>
        public AnswerAwaiter<T> GetAwaiter() => new AnswerAwaiter<T>(this);

        void IRequestHandler.OnSent(long id)
        {
        }

        void IRequestHandler.OnMessage(ServerMessage message)
        {
            Result = _read(message);
            Finish();
        }

        void IRequestHandler.OnFailed(CallsheetError error)
        {
            Error = error;
            Finish();
        }

        internal void OnCompleted(Action continuation)
        {
            if (IsComplete)
            {
                continuation();
            }
            else
            {
                _continuations.Add(continuation);
            }
        }

        private void Finish()
        {
            IsComplete = true;
            try
            {
                Completed?.Invoke(this);
            }
            finally
            {
                _continuations.ForEach(continuation => continuation());
                _continuations.Clear();
            }
        }
    }

    /// <summary>Lets C# await an <see cref="Answer{T}"/>.</summary>
    public readonly struct AnswerAwaiter<T> : INotifyCompletion
    {
        private readonly Answer<T> _answer;

        internal AnswerAwaiter(Answer<T> answer)
        {
            _answer = answer;
        }

        /// <summary>True if awaiting does not wait.</summary>
        public bool IsCompleted => _answer.IsComplete;

        /// <summary>What the server answered.</summary>
        /// <exception cref="CallsheetException">The request failed.</exception>
        public T GetResult() => _answer.Error == null ? _answer.Result : throw new CallsheetException(_answer.Error);

        /// <summary>Calls back when the answer has come, or never will.</summary>
        public void OnCompleted(Action continuation) => _answer.OnCompleted(continuation);
    }
}
